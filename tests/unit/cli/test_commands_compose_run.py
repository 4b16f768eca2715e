"""`run`: what the command line changes, and what becomes of the container."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cntnr_compose.builder import ensure_images as provide
from cntnr_compose.cli.flows import attached_run as running
from cntnr_compose.cli.flows.run_arguments import BadOption, NoTerminal, RunArguments
from cntnr_compose.cli.flows.up import BadPullPolicy, Incompatible
from cntnr_compose.core.errors import RemoteError
from cntnr_compose.core.values import Value
from cntnr_compose.model.observed import Container
from cntnr_compose.model.service import Mount, Port
from tests.unit.cli.conftest import FakeClient, FakeEngine, Ran
from tests.unit.cli.making import container, project, service

Run = Callable[..., Ran]
SHOP = project(service("web"))


def asked(**more: object) -> RunArguments:
    return RunArguments(service="web", **more)  # type: ignore[arg-type]


@pytest.fixture
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)


def test_options_become_the_plan_s_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_terminal: None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINE", "m")
    monkeypatch.delenv("NOBODYS", raising=False)
    (tmp_path / "vars.env").write_text("A=1\nB=from ${MINE}\n")
    options = asked(
        command=("sh",),
        entrypoint="sh -c 'a b'",
        env=("B=2", "MINE", "NOBODYS"),
        env_from_file=("vars.env",),
        label=("x=y=z",),
        volume=("./d:/d:ro", "data:/e"),
        publish=("127.0.0.1:8080-8081:80-81/udp",),
        no_deps=True,
        interactive=False,
    ).to_run_options(SHOP)
    assert len(options.slug) == 64
    assert options.entrypoint == ("sh", "-c", "a b")
    assert options.environment == {"A": "1", "B": "2", "MINE": "m", "NOBODYS": None}
    assert options.labels == {"x": "y=z"}
    bind, named = options.volumes
    assert (bind.type, bind.source, bind.target, bind.read_only) == (
        "bind",
        str(tmp_path / "d"),
        "/d",
        True,
    )
    assert named == Mount(type="volume", source="data", target="/e")
    assert options.ports == tuple(
        Port(target=n, published=str(8000 + n), host_ip="127.0.0.1", protocol="udp")
        for n in (80, 81)
    )
    assert (options.dependencies, options.tty, options.interactive) == (False, False, False)


def test_an_empty_entrypoint_is_none_at_all() -> None:
    assert asked(entrypoint="").to_run_options(SHOP).entrypoint == ()
    assert asked().to_run_options(SHOP).entrypoint is None


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"label": ("x",)}, 'invalid argument "x" for --label: it should be NAME=VALUE'),
        ({"publish": ("99999",)}, 'invalid argument "99999" for --publish: '),
        ({"volume": ("a/../b:/c",)}, 'invalid argument "a/../b:/c" for --volume: a folder begins'),
        ({"volume": ("/a:/b:ro:x",)}, 'invalid argument "/a:/b:ro:x" for --volume: '),
        ({"entrypoint": "sh 'x"}, 'invalid argument "sh \'x" for --entrypoint: '),
    ],
)
def test_what_cannot_be_read_is_named(more: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadOption) as raised:
        asked(**more).to_run_options(SHOP)
    assert str(raised.value).startswith(sentence)


def test_contradictions_are_refused(no_terminal: None) -> None:
    with pytest.raises(Incompatible, match="--service-ports and --publish are incompatible"):
        asked(service_ports=True, publish=("80",)).check()
    with pytest.raises(BadPullPolicy):
        asked(pull="often").check()
    with pytest.raises(NoTerminal, match="the input device is not a TTY"):
        asked(tty=True).check()
    asked(tty=True, detach=True).check()


@pytest.mark.parametrize(
    ("stdin", "stdout", "no_tty", "tty"),
    [
        (True, True, False, True),
        (False, True, False, False),
        (True, False, False, False),
        (True, True, True, False),
    ],
)
def test_there_is_a_terminal_where_ours_is_one(
    monkeypatch: pytest.MonkeyPatch, stdin: bool, stdout: bool, no_tty: bool, tty: bool
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: stdin)
    monkeypatch.setattr("sys.stdout.isatty", lambda: stdout)
    assert asked(no_tty=no_tty).has_terminal is tty


class Joined(Value, frozen=True, kw_only=True):
    """What the relay was asked for."""

    stdin: int | None
    tty: bool


class Stage:
    """The socket of a container, its relay and its record, played."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine, exit_file: Path
    ) -> None:
        self.engine = engine
        self.exit_file = exit_file
        exit_file.write_text("9\n")
        self.detaches = False
        self.signals: list[str] = []
        self.joined: list[Joined] = []
        monkeypatch.setattr(running, "AttachConnection", self.attach)
        monkeypatch.setattr(running.holder, "proc_root_path", lambda path: path)
        monkeypatch.setattr(running, "TerminalRelay", self.relay)
        monkeypatch.setattr(running.records, "read_containers", self.read_all)
        monkeypatch.setattr(running.records, "exit_file", lambda _record: self.exit_file)
        monkeypatch.setattr(sys.stdin, "fileno", lambda: 0, raising=False)

    def read_all(self, _project: str) -> list[Container]:
        made = re.findall(r"create container (\S+):", "".join(self.engine.plans))
        return [container("web", name=name, oneoff=True) for name in made]

    def attach(self, _bundle: Path, name: str) -> "Stage":
        self.engine.said.append(f"attach {name.rpartition('-')[0] or name}")
        return self

    def close(self) -> None:
        self.engine.said.append("detach")

    def relay(
        self, _attachment: object, *, stdin: int | None, tty: bool, on_signal: Callable[[str], None]
    ) -> "Stage":
        self.joined.append(Joined(stdin=stdin, tty=tty))
        self.on_signal = on_signal
        return self

    def run(self) -> bool:
        for name in self.signals:
            self.on_signal(name)
        return self.detaches


@pytest.fixture
def stage(
    compose: Run,
    engine: FakeEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    no_terminal: None,
) -> Stage:
    (tmp_path / "compose.yaml").write_text(
        "name: shop\nservices:\n  web: {image: busybox, depends_on: [db]}\n  db: {image: busybox}\n"
    )
    monkeypatch.setattr(provide, "ensure_images", lambda *_, **__: {"busybox": "sha256:1"})
    return Stage(monkeypatch, engine, tmp_path / "exit")


def test_it_attaches_between_the_preparation_and_the_start(compose: Run, stage: Stage) -> None:
    ran = compose("run", "web", "echo", "-n", "x")
    assert ran.code == 9
    before, start = stage.engine.plans
    assert "start container shop-db-1" in before
    assert "prepare container shop-web-run-" in before
    assert start.startswith("1 start container shop-web-run-")
    said = stage.engine.said
    assert said.index("attach shop-web-run") < said.index("end")
    assert said[-2:] == ["detach", "hung up"]
    assert stage.joined == [Joined(stdin=0, tty=False)]


def test_it_is_removed_afterwards_where_that_is_asked(compose: Run, stage: Stage) -> None:
    compose("run", "--rm", "--no-deps", "-i=false", "web")
    assert [plan.split()[1] for plan in stage.engine.plans] == ["create", "start", "remove"]
    assert stage.joined[0].stdin is None


def test_it_is_the_supervisor_s_to_remove_it(compose: Run, stage: Stage) -> None:
    compose("run", "--rm", "web")
    compose("run", "web")
    assert [one.auto_remove for one in stage.engine.made if one.oneoff] == [True, False]


def test_detached_by_keys_it_goes_on(compose: Run, stage: Stage) -> None:
    stage.detaches = True
    assert compose("run", "--rm", "web").code == 0
    assert not any("remove" in plan for plan in stage.engine.plans)


def test_signals_reach_the_container(compose: Run, stage: Stage) -> None:
    stage.signals = ["SIGINT"]
    compose("run", "web")
    assert stage.engine.plans[-1].endswith("with SIGINT\n")


def test_in_the_background_its_id_is_printed(compose: Run, stage: Stage) -> None:
    ran = compose("run", "-d", "--name", "job", "web")
    assert ran.code == 0
    assert ran.out == f"{container('web', name='job').record.id}\n"
    assert stage.joined == []


def test_nothing_stays_of_one_that_cannot_be_set_up(
    compose: Run, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = FakeClient.execute

    def fail(self: FakeClient, plan: object, **more: object) -> object:
        execute(self, plan, **more)  # type: ignore[arg-type]
        if len(self.engine.plans) == 1:
            raise RemoteError("ContainerFailed", "no such program", "", 127)
        return {}

    monkeypatch.setattr(FakeClient, "execute", fail)
    ran = compose("run", "--rm", "web", "nope")
    assert (ran.code, ran.err) == (127, "error: no such program\n")
    assert "remove container shop-web-run-" in stage.engine.plans[-1]


def test_a_container_that_others_removed_is_told(compose: Run, stage: Stage) -> None:
    stage.exit_file.write_text("")
    ran = compose("run", "--name", "job", "web")
    assert ran.code == 1
    assert ran.err.endswith("error: cannot tell how container job ended: it was removed\n")


def test_an_unknown_service_is_refused_before_anything_is_made(compose: Run, stage: Stage) -> None:
    ran = compose("run", "nobody")
    assert (ran.code, ran.err) == (1, "error: no such service: nobody\n")
    assert stage.engine.plans == []


def test_a_dry_run_prints_both_plans(compose: Run, stage: Stage) -> None:
    ran = compose("--dry-run", "run", "--no-deps", "web")
    assert "create container shop-web-run-" in ran.out
    assert ran.out.splitlines()[-1].startswith("1 start container shop-web-run-")
    assert stage.engine.said == []


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
    assert stage.engine.plans == []
