"""`cntnr ps` answers quickly what the ordinary command would, byte by byte."""

import fcntl
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.cli.commands.container.ls import ls
from cntnr_compose.cli.main import run
from cntnr_compose.cli.parser.fast_parser import parse_arguments
from cntnr_compose.cli.quick import container_list, verbs
from cntnr_compose.containers.state import records
from cntnr_compose.core import paths
from cntnr_compose.core.files import folders
from cntnr_compose.core.values import replace, to_json
from cntnr_compose.host import files, proc
from cntnr_compose.model.listed import ListedContainer
from cntnr_compose.model.observed import Container, PublishedPort, Record, Status
from tests.unit.cli.factories import NOW, service

LINES = (
    ["ps"],
    ["ps", "-a"],
    ["ps", "-aq"],
    ["ps", "-n", "2"],
    ["container", "ls", "-l", "--no-trunc"],
)
DIGEST = "sha256:" + "5" * 64
IMAGES = (
    "", "busybox", "web:1", f"web@{DIGEST}", f"web:1@{DIGEST}", DIGEST, "5" * 12, "localhost:5000/ä",
)  # fmt: skip
COMMANDS = ((), ("sh",), ("sh", "-c", "exit 3"), ("printf", '"\\ä\x1b\n\x7f', "漢字" * 12))
AGES = (0, 0.4, 1, 59, 60, 3599, 3600, 7200, 86400 * 3, 86400 * 20, 86400 * 800)
STATES = ("created", "running", "restarting", "paused", "exited", "removing", "dead")
EXPOSED = ((), ("80",), ("53/udp", "53"), ("90-95", "95-90"), ("70000",))
PUBLISHED = (
    (),
    (PublishedPort(url="0.0.0.0", target=80, published=8080),),
    tuple(
        PublishedPort(url=url, target=port, published=port, protocol=kind)
        for url, port, kind in product(("0.0.0.0", "::"), (90, 91, 92), ("tcp", "udp"))
    ),
)


class Store:
    """The files of containers in a folder of the test, and a holder that is this very process."""

    def __init__(self) -> None:
        own = os.getpid()
        born = proc.start_time(own)
        self.holder = f"{own}-{born}"
        record = {"parent": own, "child": own, "payload": 1, "born": [born, born]}
        paths.holder().mkdir(parents=True)
        files.write_atomic(paths.holder() / "holder.json", json.dumps(record).encode())
        self.locks: dict[str, int] = {}

    def supervise(self, project: str) -> None:
        """Hold the lock of a project's supervisor."""
        if project in self.locks:
            return
        path = paths.supervisor_socket(project).with_suffix(".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        self.locks[project] = descriptor

    def add(self, container: Container) -> Path:
        """Write the files of a container and return their folder."""
        records.write_record(container.record)
        records.write_status(container.record, container.status)
        return paths.container(container.record.project, container.record.id)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    for name in ("XDG_DATA_HOME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CNTNR_RUNTIME_DIR", str(tmp_path / "runtime"))
    (tmp_path / "runtime").mkdir(mode=0o700)
    monkeypatch.setattr(folders, "HOLDER_TMPFS", str(tmp_path / "tmpfs"))
    monkeypatch.setattr(time, "time", lambda: NOW)
    made = Store()
    yield made
    for descriptor in made.locks.values():
        os.close(descriptor)


Output = Callable[..., tuple[int, str, str]]


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Output:
    """Run a command line; return its exit code and what it printed."""

    def of(words: list[str]) -> tuple[int, str, str]:
        code = run(words)
        return (code, *capsys.readouterr())

    return of


def ordinary(words: list[str], output: Output) -> tuple[int, str, str]:
    """Run a command line as if no verb were quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verbs, "MODULES", {})
        return output(words)


def any_container(pick: random.Random, number: int, holder: str) -> Container:
    """Make up a container of which anything may be, in no project or in one of two."""
    project = pick.choice(("_", "shop", "shop-" + "x" * 40))
    state = pick.choice(STATES)
    image_config: dict[str, Any] = {"ExposedPorts": {key: {} for key in pick.choice(EXPOSED)}}
    record = Record(
        id=f"{pick.getrandbits(256):064x}",
        name=f"c{number}",
        project=project,
        service="web",
        image=pick.choice(IMAGES),
        image_id=pick.choice(("", DIGEST)),
        created=NOW - pick.choice(AGES),
        command=pick.choice(COMMANDS),
        definition=service("web", expose=pick.choice(EXPOSED)),
        image_config=pick.choice(({}, image_config, {"ExposedPorts": None})),
        labels={"a": "\x01"} if pick.random() < 0.1 else {},
    )
    status = Status(
        state=state,
        holder=holder if state in ("running", "restarting", "paused") else "",
        pid=pick.choice((0, 7)) if state == "running" else 0,
        started=NOW - pick.choice(AGES),
        finished=pick.choice((0, NOW - 5)),
        exit_code=pick.choice((0, 1, 137)),
        oom_killed=pick.random() < 0.2,
        health=pick.choice(("", "starting", "healthy", "unhealthy")),
        published=pick.choice(PUBLISHED),
    )
    return Container(record=record, status=status)


@pytest.mark.parametrize("seed", range(40))
def test_both_print_the_same_of_anything(seed: int, store: Store, output: Output) -> None:
    pick = random.Random(seed)
    containers = [any_container(pick, number, store.holder) for number in range(seed % 9)]
    for container in containers:
        store.add(container)
    for project in {container.record.project for container in containers}:
        store.supervise(project)
    for words in LINES:
        options = container_list.parse_options(words[1:] if words[0] == "ps" else words[2:])
        assert options is not None
        expected = ordinary(words, output)
        assert output(words) == expected
        assert expected[0] == 0
        assert expected[1].count("\n") >= (0 if "-aq" in words else 1)


def test_all_of_them_are_answered_quickly(store: Store, output: Output) -> None:
    pick = random.Random(1)
    for number in range(30):
        container = any_container(pick, number, store.holder)
        store.add(container)
        store.supervise(container.record.project)
    assert container_list.run(["-a"]) == 0


def stopped(**record: object) -> Container:
    values: dict[str, Any] = {"image": "i", "created": NOW - 5, **record}
    return Container(
        record=Record(
            id="a" * 64, name="a", project="_", service="a", definition=service("a"), **values
        ),
        status=Status(state="exited", finished=NOW - 2),
    )


BROKEN = {
    "torn": b'{"id": "a',
    "empty": b"",
    "no object": b"[]",
    "no JSON": b'{"id": NaN}',
    "more behind it": b"{} {}",
    "no UTF-8": b'{"id": "\xff"}',
    "half a pair": b'{"name": "\\ud800"}',
    "too deep": b'{"a":' * 100_000,
    "of other types": b'{"id": 3, "name": [], "project": {}, "service": 1, "definition": 2}',
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("name", ["record.json", "status.json"])
def test_both_pass_over_what_is_broken(
    name: str, content: bytes, store: Store, output: Output
) -> None:
    folder = store.add(stopped())
    (folder / name).write_bytes(content)
    assert output(["ps", "-a"]) == ordinary(["ps", "-a"], output)


@pytest.mark.parametrize(
    "change",
    [
        {"image": 3},
        {"command": "sh"},
        {"command": [1]},
        {"created": "now"},
        {"image_config": []},
        {"project": "other"},
        {"id": "b" * 64},
        {"auto_remove": 1},
        {"definition": {"name": "a", "expose": [80]}},
        {"name": "\ud83d\ude00"},
        {"unknown": 1},
    ],
    ids=str,
)
def test_both_print_the_same_of_records_of_odd_types(
    change: dict[str, object], store: Store, output: Output
) -> None:
    folder = store.add(stopped())
    tree = json.loads((folder / "record.json").read_bytes()) | change
    (folder / "record.json").write_text(json.dumps(tree))
    assert output(["ps", "-a"]) == ordinary(["ps", "-a"], output)


def test_what_needs_a_supervisor_is_left_to_the_ordinary_command(store: Store) -> None:
    container = stopped()
    running = replace(container, status=Status(state="running", holder=store.holder, pid=3))
    store.add(running)
    assert container_list.run(["-a"]) is None  # its supervisor died
    store.supervise("_")
    assert container_list.run(["-a"]) == 0
    elsewhere = replace(running, status=replace(running.status, holder="1-1"))
    store.add(elsewhere)
    assert container_list.run(["-a"]) is None  # it ran in a holder that has ended
    store.add(replace(container, record=replace(container.record, auto_remove=True)))
    assert container_list.run(["-a"]) == 0
    os.close(store.locks.pop("_"))
    assert container_list.run(["-a"]) is None  # somebody has to remove it
    store.add(container)
    assert container_list.run(["-a"]) == 0
    (paths.holder() / "holder.json").unlink()
    assert container_list.run(["-a"]) == 0


def test_a_name_that_is_no_project_s_is_left_to_the_ordinary_command(
    store: Store, output: Output
) -> None:
    (paths.containers() / "a\nb").mkdir(parents=True)
    assert container_list.run([]) is None
    assert output(["ps"]) == ordinary(["ps"], output)


def test_a_format_of_docker_s_configuration_is_left_to_the_ordinary_command(
    store: Store, output: Output
) -> None:
    store.add(stopped())
    folder = Path(os.environ["HOME"]) / ".docker"
    folder.mkdir()
    (folder / "config.json").write_text('{"psFormat": "{{.Names}}"}')
    assert container_list.run(["-a"]) is None
    assert output(["ps", "-a"])[1] == "a\n"
    assert container_list.run(["-aq"]) == 0


def test_options_mean_what_they_mean_to_the_ordinary_command() -> None:
    words = (
        "-a",
        "--all",
        "-q",
        "-aq",
        "-qla",
        "-l",
        "--no-trunc",
        "-n",
        "3",
        "--last",
        "-1",
        "-z",
    )
    words += ("--last=3", "-s", "--filter", "name=x", "x", "--", "-n3", "--help", "-", "-aa", "-as")
    for line in (line for length in range(4) for line in product(words, repeat=length)):
        options = container_list.parse_options(line)
        if options is not None:
            parsed = parse_arguments(ls, "ps", line)
            assert parsed is not None, line
            defaults = parse_arguments(ls, "ps", ()) or {}
            assert parsed == defaults | options, line


def test_defaults_are_those_of_records() -> None:
    bare = Record(id="i", name="n", project="_", service="s", definition=service("s"))
    assert Container(record=bare).listed() == ListedContainer(id="i", name="n")
    assert b"state" not in to_json(Status())
