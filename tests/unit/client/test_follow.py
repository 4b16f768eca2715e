"""Output and changes of containers come in one stream, the end of a container after its last line."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cntnr_compose.client import client, observe
from cntnr_compose.client.connection import SupervisorGone
from cntnr_compose.client.follow import ProjectStream, StreamItem
from cntnr_compose.containers.logs.lines import LogLine, LogRange
from cntnr_compose.containers.state import records
from cntnr_compose.core import paths
from cntnr_compose.core.events import ContainerEvent
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import Container, Observed, Record, Status
from cntnr_compose.model.service import Service


class FakeSupervisor:
    """Stand in for a client whose supervisor emits the events of the test."""

    def __init__(self) -> None:
        self.socket, self.other = socket.socketpair()
        self.events: list[ContainerEvent] = []
        self.is_subscribed = False

    def fileno(self) -> int:
        return self.socket.fileno()

    @property
    def has_buffered_reply(self) -> bool:
        return bool(self.events)

    def subscribe(self) -> None:
        self.is_subscribed = True

    def close(self) -> None:
        self.socket.close()

    def next_event(self) -> ContainerEvent | None:
        if self.events:
            return self.events.pop(0)
        raise SupervisorGone(Path("log"))

    def emit(self, action: str, record: Record) -> None:
        self.events.append(
            ContainerEvent(
                action=action, time=0, id=record.id, name=record.name, service=record.service
            )
        )


def record(service: str, digit: str = "a", name: str = "") -> Record:
    new_record = Record(
        id=digit * 64,
        name=name or f"shop-{service}-1",
        project="shop",
        service=service,
        definition=Service(name=service),
    )
    records.write_record(new_record)
    return new_record


def write(owner: Record, second: int, text: str, tag: str = "F") -> None:
    with paths.container_log("shop", owner.id).open("a") as out:
        out.write(f"2026-11-23T17:08:{second:02}.000000000+00:00 stdout {tag} {text}\n")


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


@pytest.fixture
def supervisor() -> Iterator[FakeSupervisor]:
    supervisor = FakeSupervisor()
    yield supervisor
    supervisor.socket.close()
    supervisor.other.close()


@pytest.fixture
def stream(supervisor: FakeSupervisor) -> Iterator[ProjectStream]:
    stream = ProjectStream("shop", supervisor, lambda one: one.service != "hidden")  # type: ignore[arg-type]
    yield stream
    stream.close()


def texts(items: list[StreamItem]) -> list[str]:
    return [
        item.text.decode() if isinstance(item, LogLine) else f"{item.action} {item.service}"
        for item in items
    ]


def test_it_follows_from_the_beginning(stream: ProjectStream, supervisor: FakeSupervisor) -> None:
    assert supervisor.is_subscribed


def test_history_is_given_once_and_then_what_comes(stream: ProjectStream) -> None:
    web = record("web")
    write(web, 1, "old")
    assert [line.text for line in stream.read_history([web], LogRange())] == [b"old"]
    assert stream.wait_for_items() == []
    write(web, 2, "new")
    assert texts(stream.wait_for_items()) == ["new"]


def test_lines_of_several_containers_are_in_the_order_of_time(stream: ProjectStream) -> None:
    web, db = record("web"), record("db", "b")
    list(stream.read_history([web, db], LogRange()))
    write(web, 3, "third")
    write(db, 2, "second")
    assert texts(stream.wait_for_items()) == ["second", "third"]


def test_the_end_comes_after_the_last_line_also_one_that_nothing_ended(
    stream: ProjectStream, supervisor: FakeSupervisor
) -> None:
    web = record("web")
    list(stream.read_history([web], LogRange()))
    write(web, 1, "last")
    write(web, 2, "prompt: ", tag="P")
    supervisor.emit("die", web)
    assert texts(stream.wait_for_items()) == ["last", "prompt: ", "die web"]


def test_much_output_comes_bit_by_bit_and_the_end_after_all_of_it(
    stream: ProjectStream, supervisor: FakeSupervisor
) -> None:
    web = record("web")
    list(stream.read_history([web], LogRange()))
    for _ in range(400):
        write(web, 1, "x" * 10000)
    supervisor.emit("die", web)
    supervisor.emit("start", web)
    rounds = [texts(stream.wait_for_items()) for _ in range(3)]
    assert all(0 < len(one) < 300 for one in rounds)
    while "start web" not in rounds[-1]:
        rounds.append(texts(stream.wait_for_items()))
    everything = [one for each in rounds for one in each]
    assert everything[400:] == ["die web", "start web"]
    assert len(rounds) < 8
    assert stream.wait_for_items() == []


def test_a_new_container_is_shown_from_its_first_line(
    stream: ProjectStream, supervisor: FakeSupervisor
) -> None:
    web = record("web")
    write(web, 1, "first")
    supervisor.emit("start", web)
    assert texts(stream.wait_for_items()) == ["first", "start web"]
    assert stream.is_shown(web.id)
    assert stream.shown_containers() == [web]


def test_what_nobody_wants_is_not_shown_but_its_changes_are_told(
    stream: ProjectStream, supervisor: FakeSupervisor
) -> None:
    hidden = record("hidden")
    write(hidden, 1, "secret")
    supervisor.emit("die", hidden)
    assert texts(stream.wait_for_items()) == ["die hidden"]
    assert not stream.is_shown(hidden.id)


def test_a_new_name_is_learnt(stream: ProjectStream, supervisor: FakeSupervisor) -> None:
    old = record("web", name="abc_shop-web-1")
    list(stream.read_history([old], LogRange()))
    new = replace(old, name="shop-web-1")
    records.write_record(new)
    supervisor.emit("rename", new)
    stream.wait_for_items()
    assert stream.shown_containers() == [new]


def test_a_container_that_is_gone_is_forgotten(
    stream: ProjectStream, supervisor: FakeSupervisor
) -> None:
    web = record("web")
    list(stream.read_history([web], LogRange()))
    supervisor.emit("die", web)
    supervisor.emit("destroy", web)
    assert texts(stream.wait_for_items()) == ["die web", "destroy web"]
    assert stream.is_shown(web.id)  # whoever draws these has yet to say how it ended
    assert stream.wait_for_items() == []
    assert not stream.is_shown(web.id)


@pytest.mark.parametrize(
    ("state", "again"),
    [("restarting", True), ("running", True), ("paused", True), ("exited", False)],
)
def test_whether_it_is_started_again_stands_in_its_status(
    stream: ProjectStream, state: str, again: bool
) -> None:
    web = record("web")
    list(stream.read_history([web], LogRange()))
    records.write_status(web, Status(state=state))
    died = ContainerEvent(action="die", time=0, id=web.id, name=web.name, service="web")
    assert stream.will_restart(died) is again
    restarted = replace(died, attributes={"restarting": "1"})
    assert stream.will_restart(restarted)


def test_waiting_ends_when_another_has_something(stream: ProjectStream) -> None:
    one_end, other = socket.socketpair()
    other.send(b"x")
    assert stream.wait_for_items([one_end]) == []
    one_end.close()
    other.close()


def test_the_next_supervisor_is_followed_and_what_ended_between_the_two_is_told(
    supervisor: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    over, runs, gone = record("over", "a"), record("runs", "b"), record("gone", "c")
    stream = ProjectStream("shop", supervisor, lambda _: True)  # type: ignore[arg-type]
    list(stream.read_history([over, runs, gone], LogRange()))
    containers = (
        Container(record=over, status=Status(state="exited", exit_code=3)),
        Container(record=runs, status=Status(state="running")),
    )
    successor = FakeSupervisor()
    monkeypatch.setattr(
        observe, "observe_project", lambda name: Observed(project=name, containers=containers)
    )
    monkeypatch.setattr(client, "connect", lambda _name, start: successor)
    supervisor.other.close()  # as it does when it is killed
    items = [one for one in stream.wait_for_items() if isinstance(one, ContainerEvent)]
    assert [(one.action, one.service) for one in items] == [("die", "over"), ("destroy", "gone")]
    assert items[0].attributes == {"exitCode": "3"}
    assert successor.is_subscribed
    successor.other.close()
    assert stream.wait_for_items() == [], "nothing is told twice"
    stream.close()


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_supervisor_that_does_not_listen_yet_or_was_killed_is_not_the_last_one(
    supervisor: FakeSupervisor, monkeypatch: pytest.MonkeyPatch, *, is_killed: bool
) -> None:
    runs = record("runs", "b")
    stream = ProjectStream("shop", supervisor, lambda _: True)  # type: ignore[arg-type]
    list(stream.read_history([runs], LogRange()))
    containers = (Container(record=runs, status=Status(state="running")),)
    successor = FakeSupervisor()
    monkeypatch.setattr(
        observe, "observe_project", lambda name: Observed(project=name, containers=containers)
    )
    is_there = False

    def connect(_name: str, *, start: bool) -> FakeSupervisor | None:
        assert not start
        if not is_there and is_killed:
            raise SupervisorGone(Path("log"))
        return successor if is_there else None

    monkeypatch.setattr(client, "connect", connect)
    supervisor.other.close()
    assert stream.wait_for_items() == []
    assert not successor.is_subscribed
    is_there = True
    assert stream.wait_for_items() == []
    assert successor.is_subscribed
    successor.other.close()
    stream.close()
