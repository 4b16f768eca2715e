"""Output and changes of containers come in one stream, the end of a container after its last line."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cntnr_compose.client import client, observe
from cntnr_compose.client.connection import SupervisorGone
from cntnr_compose.client.follow import Happening, Stream
from cntnr_compose.containers.logs.reader import Line, Span
from cntnr_compose.containers.state import records
from cntnr_compose.core import paths
from cntnr_compose.core.events import ContainerEvent
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import Container, Observed, Record, Status
from cntnr_compose.model.service import Service


class Supervisor:
    """The client of a supervisor that says what the test says."""

    def __init__(self) -> None:
        self.mine, self.other = socket.socketpair()
        self.events: list[ContainerEvent] = []
        self.followed = False

    def fileno(self) -> int:
        return self.mine.fileno()

    @property
    def has_more(self) -> bool:
        return bool(self.events)

    def start_following(self) -> None:
        self.followed = True

    def close(self) -> None:
        self.mine.close()

    def next_event(self) -> ContainerEvent | None:
        if self.events:
            return self.events.pop(0)
        raise SupervisorGone(Path("log"))

    def tell(self, action: str, record: Record) -> None:
        self.events.append(
            ContainerEvent(
                action=action, time=0, id=record.id, name=record.name, service=record.service
            )
        )


def record(service: str, digit: str = "a", name: str = "") -> Record:
    made = Record(
        id=digit * 64,
        name=name or f"shop-{service}-1",
        project="shop",
        service=service,
        definition=Service(name=service),
    )
    records.write_record(made)
    return made


def write(owner: Record, second: int, text: str, tag: str = "F") -> None:
    with paths.container_log("shop", owner.id).open("a") as out:
        out.write(f"2026-11-23T17:08:{second:02}.000000000+00:00 stdout {tag} {text}\n")


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    made = Supervisor()
    yield made
    made.mine.close()
    made.other.close()


@pytest.fixture
def stream(supervisor: Supervisor) -> Iterator[Stream]:
    made = Stream("shop", supervisor, lambda one: one.service != "hidden")  # type: ignore[arg-type]
    yield made
    made.close()


def told(happened: list[Happening]) -> list[str]:
    return [
        one.text.decode() if isinstance(one, Line) else f"{one.action} {one.service}"
        for one in happened
    ]


def test_it_follows_from_the_beginning(stream: Stream, supervisor: Supervisor) -> None:
    assert supervisor.followed


def test_history_is_given_once_and_then_what_comes(stream: Stream) -> None:
    web = record("web")
    write(web, 1, "old")
    assert [line.text for line in stream.history([web], Span())] == [b"old"]
    assert stream.next() == []
    write(web, 2, "new")
    assert told(stream.next()) == ["new"]


def test_lines_of_several_containers_are_in_the_order_of_time(stream: Stream) -> None:
    web, db = record("web"), record("db", "b")
    list(stream.history([web, db], Span()))
    write(web, 3, "third")
    write(db, 2, "second")
    assert told(stream.next()) == ["second", "third"]


def test_the_end_comes_after_the_last_line_also_one_that_nothing_ended(
    stream: Stream, supervisor: Supervisor
) -> None:
    web = record("web")
    list(stream.history([web], Span()))
    write(web, 1, "last")
    write(web, 2, "prompt: ", tag="P")
    supervisor.tell("die", web)
    assert told(stream.next()) == ["last", "prompt: ", "die web"]


def test_much_output_comes_bit_by_bit_and_the_end_after_all_of_it(
    stream: Stream, supervisor: Supervisor
) -> None:
    web = record("web")
    list(stream.history([web], Span()))
    for _ in range(400):
        write(web, 1, "x" * 10000)
    supervisor.tell("die", web)
    supervisor.tell("start", web)
    rounds = [told(stream.next()) for _ in range(3)]
    assert all(0 < len(one) < 300 for one in rounds)
    while "start web" not in rounds[-1]:
        rounds.append(told(stream.next()))
    everything = [one for each in rounds for one in each]
    assert everything[400:] == ["die web", "start web"]
    assert len(rounds) < 8
    assert stream.next() == []


def test_a_new_container_is_shown_from_its_first_line(
    stream: Stream, supervisor: Supervisor
) -> None:
    web = record("web")
    write(web, 1, "first")
    supervisor.tell("start", web)
    assert told(stream.next()) == ["first", "start web"]
    assert stream.is_shown(web.id)
    assert stream.shown() == [web]


def test_what_nobody_wants_is_not_shown_but_its_changes_are_told(
    stream: Stream, supervisor: Supervisor
) -> None:
    hidden = record("hidden")
    write(hidden, 1, "secret")
    supervisor.tell("die", hidden)
    assert told(stream.next()) == ["die hidden"]
    assert not stream.is_shown(hidden.id)


def test_a_new_name_is_learnt(stream: Stream, supervisor: Supervisor) -> None:
    old = record("web", name="abc_shop-web-1")
    list(stream.history([old], Span()))
    new = replace(old, name="shop-web-1")
    records.write_record(new)
    supervisor.tell("rename", new)
    stream.next()
    assert stream.shown() == [new]


def test_a_container_that_is_gone_is_forgotten(stream: Stream, supervisor: Supervisor) -> None:
    web = record("web")
    list(stream.history([web], Span()))
    supervisor.tell("die", web)
    supervisor.tell("destroy", web)
    assert told(stream.next()) == ["die web", "destroy web"]
    assert stream.is_shown(web.id)  # whoever draws these has yet to say how it ended
    assert stream.next() == []
    assert not stream.is_shown(web.id)


@pytest.mark.parametrize(
    ("state", "again"), [("restarting", True), ("running", True), ("exited", False)]
)
def test_whether_it_is_started_again_stands_in_its_status(
    stream: Stream, state: str, again: bool
) -> None:
    web = record("web")
    list(stream.history([web], Span()))
    records.write_status(web, Status(state=state))
    died = ContainerEvent(action="die", time=0, id=web.id, name=web.name, service="web")
    assert stream.will_restart(died) is again
    restarted = replace(died, attributes={"restarting": "1"})
    assert stream.will_restart(restarted)


def test_waiting_ends_when_another_has_something(stream: Stream) -> None:
    mine, other = socket.socketpair()
    other.send(b"x")
    assert stream.next([mine]) == []
    mine.close()
    other.close()


def test_the_next_supervisor_is_followed_and_what_ended_between_the_two_is_told(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    over, runs, gone = record("over", "a"), record("runs", "b"), record("gone", "c")
    stream = Stream("shop", supervisor, lambda _: True)  # type: ignore[arg-type]
    list(stream.history([over, runs, gone], Span()))
    found = (
        Container(record=over, status=Status(state="exited", exit_code=3)),
        Container(record=runs, status=Status(state="running")),
    )
    following = Supervisor()
    monkeypatch.setattr(observe, "observe", lambda name: Observed(project=name, containers=found))
    monkeypatch.setattr(client, "connect", lambda _name, start: following)
    supervisor.other.close()  # as it does when it is killed
    happened = [one for one in stream.next() if isinstance(one, ContainerEvent)]
    assert [(one.action, one.service) for one in happened] == [("die", "over"), ("destroy", "gone")]
    assert happened[0].attributes == {"exitCode": "3"}
    assert following.followed
    following.other.close()
    assert stream.next() == [], "nothing is told twice"
    stream.close()
