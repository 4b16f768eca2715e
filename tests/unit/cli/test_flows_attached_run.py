"""`run`: what becomes of its container, and with which exit code it ends."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cntnr_compose.builder import ensure_images
from cntnr_compose.cli.flows import attached_run
from cntnr_compose.core.errors import RemoteError
from cntnr_compose.core.values import Value
from cntnr_compose.model.observed import Record
from tests.unit.cli.conftest import FakeClient, FakeSupervisor, Run
from tests.unit.cli.factories import container


class RelayArguments(Value, frozen=True, kw_only=True):
    """Record the arguments of a terminal relay."""

    stdin: int | None
    tty: bool


class Stage:
    """Stand in for a container's attach socket, its relay and its record."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, supervisor: FakeSupervisor, exit_file: Path
    ) -> None:
        self.supervisor = supervisor
        self.exit_file = exit_file
        exit_file.write_text("9\n")
        self.detaches = False
        self.signals: list[str] = []
        self.joined: list[RelayArguments] = []
        monkeypatch.setattr(attached_run, "AttachConnection", self.attach)
        monkeypatch.setattr(attached_run, "proc_root_path", lambda path: path)
        monkeypatch.setattr(attached_run, "TerminalRelay", self.relay)
        monkeypatch.setattr(attached_run.records, "read_record", self.read_record)
        monkeypatch.setattr(attached_run.records, "exit_file", lambda _record: self.exit_file)
        monkeypatch.setattr(sys.stdin, "fileno", lambda: 0, raising=False)

    def read_record(self, _project: str, _identity: str) -> Record:
        names = re.findall(r"create container (\S+): run", "".join(self.supervisor.plans))
        return container("web", name=names[-1], oneoff=True).record

    def attach(self, _bundle: Path, name: str) -> "Stage":
        self.supervisor.calls.append(f"attach {name.rpartition('-')[0] or name}")
        return self

    def close(self) -> None:
        self.supervisor.calls.append("detach")

    def relay(
        self,
        _attachment: object,
        *,
        stdin: int | None,
        tty: bool,
        detach_keys: bytes,
        streams: tuple[int, ...],
        on_signal: Callable[[str], None],
    ) -> "Stage":
        assert detach_keys
        assert streams == (1, 2)
        self.joined.append(RelayArguments(stdin=stdin, tty=tty))
        self.on_signal = on_signal
        return self

    def run(self) -> bool:
        for name in self.signals:
            self.on_signal(name)
        return self.detaches


@pytest.fixture
def stage(
    compose: Run,
    supervisor: FakeSupervisor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    (tmp_path / "compose.yaml").write_text(
        "name: shop\nservices:\n  web: {image: busybox, depends_on: [db]}\n  db: {image: busybox}\n"
    )
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    monkeypatch.setattr(ensure_images, "ensure_images", lambda *_, **__: {"busybox": "sha256:1"})
    return Stage(monkeypatch, supervisor, tmp_path / "exit")


def test_it_attaches_between_the_preparation_and_the_start(compose: Run, stage: Stage) -> None:
    ran = compose("run", "web", "echo", "-n", "x")
    assert ran.code == 9
    before, start = stage.supervisor.plans
    assert "start container shop-db-1" in before
    assert "prepare container shop-web-run-" in before
    assert start.startswith("1 start container shop-web-run-")
    calls = stage.supervisor.calls
    assert calls.index("attach shop-web-run") < calls.index("unlock")
    assert calls[-2:] == ["detach", "close"]
    assert stage.joined == [RelayArguments(stdin=0, tty=False)]


def test_it_is_removed_afterwards_where_that_is_asked(compose: Run, stage: Stage) -> None:
    compose("run", "--rm", "--no-deps", "-i=false", "web")
    assert [plan.split()[1] for plan in stage.supervisor.plans] == ["create", "start", "remove"]
    assert stage.joined[0].stdin is None


def test_it_is_the_supervisor_s_to_remove_it(compose: Run, stage: Stage) -> None:
    compose("run", "--rm", "web")
    compose("run", "web")
    assert [one.auto_remove for one in stage.supervisor.created if one.oneoff] == [True, False]


def test_detached_by_keys_it_goes_on(compose: Run, stage: Stage) -> None:
    stage.detaches = True
    assert compose("run", "--rm", "web").code == 0
    assert not any("remove" in plan for plan in stage.supervisor.plans)


def test_signals_reach_the_container(compose: Run, stage: Stage) -> None:
    stage.signals = ["SIGINT"]
    compose("run", "web")
    assert stage.supervisor.plans[-1].endswith("with SIGINT\n")


def test_in_the_background_its_id_is_printed(compose: Run, stage: Stage) -> None:
    ran = compose("run", "-d", "--name", "job", "web")
    assert ran.code == 0
    assert re.fullmatch(r"[0-9a-f]{64}\n", ran.out)
    assert stage.joined == []


def test_nothing_stays_of_one_that_cannot_be_set_up(
    compose: Run, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = FakeClient.execute

    def fail(self: FakeClient, plan: object, **more: object) -> object:
        execute(self, plan, **more)  # type: ignore[arg-type]
        if len(self.supervisor.plans) == 1:
            raise RemoteError("ContainerFailed", "no such program", "", 127)
        return {}

    monkeypatch.setattr(FakeClient, "execute", fail)
    ran = compose("run", "--rm", "web", "nope")
    assert (ran.code, ran.err) == (127, "error: no such program\n")
    assert re.match(r"1 remove container [0-9a-f]{64}\n", stage.supervisor.plans[-1])


def test_a_container_that_others_removed_is_told(compose: Run, stage: Stage) -> None:
    stage.exit_file.write_text("")
    ran = compose("run", "--name", "job", "web")
    assert ran.code == 1
    assert ran.err.endswith("error: cannot tell how container job ended: it was removed\n")


def test_an_unknown_service_is_refused_before_anything_is_made(compose: Run, stage: Stage) -> None:
    ran = compose("run", "nobody")
    assert (ran.code, ran.err) == (1, "error: no such service: nobody\n")
    assert stage.supervisor.plans == []


def test_a_dry_run_shows_what_would_be_done(compose: Run, stage: Stage) -> None:
    ran = compose("--dry-run", "run", "-d", "--no-deps", "--name", "job", "web")
    assert (ran.code, ran.out) == (0, "job\n")
    assert " DRY-RUN MODE -  Network shop_default  Created\n" in ran.err
    assert "job" not in ran.err
    ran = compose("run", "--dry-run", "--no-deps", "web")
    assert (ran.code, ran.out) == (1, "")
    assert "error: interactive run is not supported in dry-run mode\n" in ran.err
    assert "Started" not in ran.err
    assert stage.supervisor.calls == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--name", "../../x"), 'invalid argument "../../x" for --name: it must begin with'),
        (("--name", "x"), 'invalid argument "x" for --name: it must have at least 2'),
        (("-v", "x" * 300 + ":/x"), "for --volume: a folder begins with / or ./, and a volume is"),
        (("-v", "_x:/x"), "a volume is one word: it must begin with a letter or digit"),
    ],
)
def test_what_is_no_name_is_refused_before_anything_is_made(
    compose: Run, stage: Stage, words: tuple[str, ...], says: str
) -> None:
    ran = compose("run", *words, "web")
    assert ran.code == 1
    assert says in ran.err
    assert stage.supervisor.plans == []
