"""Attached `up`: what is shown, what ends it, and with which exit code."""

import io
import signal
from collections.abc import Callable, Iterable, Iterator
from typing import Self

import pytest

from cntnr_compose.cli.display.log_printer import LogPrinter
from cntnr_compose.cli.display.progress import PlainDisplay
from cntnr_compose.cli.flows import attached_up as attached
from cntnr_compose.cli.flows import log_follow as watching
from cntnr_compose.cli.flows.attached_up import AttachedUp
from cntnr_compose.cli.flows.interrupts import InterruptCounter
from cntnr_compose.cli.flows.up_arguments import UpArguments
from cntnr_compose.cli.project.session import ProjectSession
from cntnr_compose.containers.logs.lines import LogLine, LogRange
from cntnr_compose.core.errors import RemoteError
from cntnr_compose.core.events import ContainerEvent, Event, Progress
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import Observed, Record
from cntnr_compose.model.plan import Plan, render_plan
from cntnr_compose.reconcile.up import plan_up
from tests.unit.cli.making import container, project, service

SHOP = project(service("web", depends_on={}), service("db"))
Moment = Callable[[], list[LogLine | ContainerEvent]]


class Play:
    """A supervisor and its containers, as a list of moments that come one after the other."""

    def __init__(self) -> None:
        self.containers = {name: container(name, state="created") for name in ("web", "db")}
        self.moments: list[Moment] = []
        self.plans: list[str] = []
        self.said: list[str] = []
        self.replies: list[Event | Exception | None] = [None]
        self.wants: Callable[[Record], bool] = lambda _record: True

    # What a test writes

    def then(self, *happened: LogLine | ContainerEvent) -> None:
        self.moments.append(lambda: list(happened))

    def press(self, number: signal.Signals = signal.SIGINT) -> None:
        def now() -> list[LogLine | ContainerEvent]:
            signal.raise_signal(number)
            return []

        self.moments.append(now)

    def line(self, name: str, text: str) -> LogLine:
        identity = self.containers[name].record.id
        return LogLine(
            container_id=identity, timestamp=(1, b"0"), stream="stdout", text=text.encode()
        )

    def event(self, action: str, name: str, code: int = 0) -> ContainerEvent:
        record = self.containers[name].record
        return ContainerEvent(
            action=action,
            time=0,
            id=record.id,
            name=record.name,
            service=name,
            attributes={"exitCode": str(code)} if action == "die" else {},
        )

    # The client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def lock(self, what: str, _tell: object) -> None:
        self.said.append(f"begin {what}")

    def unlock(self) -> None:
        self.said.append("end")

    def close(self) -> None:
        self.said.append("hung up")

    def observe(self) -> Observed:
        running = (
            replace(one, status=replace(one.status, state="running"))
            for one in self.containers.values()
        )
        return Observed(project="shop", containers=tuple(running))

    def execute(self, plan: Plan, **_: object) -> None:
        self.plans.append(render_plan(plan))

    def start_executing(self, plan: Plan) -> None:
        self.plans.append(render_plan(plan))

    @property
    def has_buffered_reply(self) -> bool:
        return bool(self.replies)

    def next_reply(self) -> Event | None:
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    # The stream

    def stream(self, _project: str, _client: object, wants: Callable[[Record], bool]) -> Self:
        self.wants = wants
        return self

    @property
    def records(self) -> dict[str, Record]:
        return {one.record.id: one.record for one in self.containers.values()}

    def read_history(self, _records: Iterable[Record], span: LogRange) -> list[LogLine]:
        assert span.tail == 0
        return []

    def shown_containers(self) -> list[Record]:
        return [one for one in self.records.values() if self.wants(one)]

    def is_shown(self, identity: str) -> bool:
        return self.wants(self.records[identity])

    def will_restart(self, _event: ContainerEvent) -> bool:
        return "restarts" in self.said

    def wait_for_items(self, _others: object = ()) -> list[LogLine | ContainerEvent]:
        if not self.moments:
            pytest.fail("it waits for something that never comes")
        happened = self.moments.pop(0)()
        return [
            one
            for one in happened
            if not isinstance(one, LogLine) or self.wants(self.records[one.container_id])
        ]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    made = Play()
    monkeypatch.setattr(attached.clients, "connect", lambda _name: made)
    monkeypatch.setattr(attached, "ProjectStream", made.stream)
    monkeypatch.setattr(attached, "is_readable", lambda _client: False)
    monkeypatch.setattr(
        attached.records, "read_containers", lambda _name: list(made.containers.values())
    )
    monkeypatch.setattr(attached, "EVENT_TIMEOUT", 0)
    yield made
    assert made.moments == []


class Up:
    """An attached `up` and what it wrote."""

    def __init__(self, play: Play, **asked: object) -> None:
        self.out, self.err = io.BytesIO(), io.StringIO()
        made = UpArguments(**asked)  # type: ignore[arg-type]
        console = PlainDisplay(self.err)
        self.up = AttachedUp(
            ProjectSession(Observed(project="shop"), play, console),  # type: ignore[arg-type]
            SHOP,
            made,
            console,
            LogPrinter(streams=(self.out, io.BytesIO())),
            watched=frozenset(made.services or SHOP.services),
            shown=made.attached_services(SHOP, SHOP),
        )
        self.code = self.up.run(plan_up(SHOP, Observed(project="shop")))

    @property
    def text(self) -> str:
        return self.out.getvalue().decode()


def test_it_makes_everything_first_then_starts_and_stays_until_all_have_ended(play: Play) -> None:
    play.then(play.event("start", "web"), play.event("start", "db"))
    play.then(play.line("web", "hello"), play.event("die", "web", 3))
    play.then(play.line("db", "x"), play.event("die", "db"))
    up = Up(play)
    assert up.code == 0
    assert up.text == (
        "Attaching to web-1, db-1\n"
        "web-1  | hello\n"
        "web-1 exited with code 3\n"
        "db-1   | x\n"
        "db-1 exited with code 0\n"
    )
    made, started = play.plans
    assert "create container shop-web-1" in made
    assert "start" not in made
    assert "start container shop-web-1" in started
    assert "create container" not in started
    assert play.said[0] == "end"  # others may have their turn while it stays


def test_trouble_while_starting_is_told_and_ends_it(play: Play) -> None:
    play.replies = [
        Progress(kind="Container", name="shop-db-1", status="Starting"),
        Progress(kind="Container", name="shop-db-1", status="Error", state="error"),
        RemoteError("DependencyFailed", "dependency failed to start"),
    ]
    play.then(play.event("start", "db"))
    play.then(play.line("db", "no disk"), play.event("die", "db", 1))
    with pytest.raises(RemoteError, match="dependency failed to start"):
        Up(play)


def test_a_container_that_is_started_again_does_not_end_it(play: Play) -> None:
    play.then(play.event("start", "web"))
    play.said.append("restarts")
    play.then(play.event("die", "web", 1))
    play.moments.append(lambda: play.said.clear() or [])  # type: ignore[func-returns-value]
    play.then(play.event("die", "web", 0))
    assert Up(play).text.count("web-1 exited with code") == 2


def test_a_container_that_takes_another_s_place_does_not_end_it(play: Play) -> None:
    play.then(play.event("start", "web"))
    play.then(play.event("create", "db"), play.event("die", "web"), play.event("destroy", "web"))
    play.then(play.event("start", "db"))
    play.then(play.event("die", "db", 2))
    assert "db-1 exited with code 2" in Up(play).text


def test_a_removed_container_counts_as_ended(play: Play) -> None:
    play.then(play.event("start", "web"))
    play.then(play.event("destroy", "web"))
    assert Up(play).code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_what_was_selected_and_ends_with_130(
    play: Play, number: signal.Signals
) -> None:
    play.then(play.event("start", "web"), play.event("start", "db"))
    play.press(number)
    play.replies = [None, Progress(kind="Container", name="shop-web-1", status="Stopping"), None]
    play.moments.append(lambda: [play.event("die", "web", 143)])
    before = signal.getsignal(signal.SIGINT)
    up = Up(play, services=("web",), timeout=1)
    assert up.code == 130
    assert "Gracefully Stopping... press Ctrl+C again to force\n" in up.err.getvalue()
    assert " Container shop-web-1  Stopping\n" in up.err.getvalue()
    assert "web-1 exited with code 143" in up.text
    assert "stop container shop-web-1" in play.plans[-1]
    assert "shop-db-1" not in play.plans[-1]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_interrupt_kills(play: Play) -> None:
    play.then(play.event("start", "web"))
    play.press()
    play.moments.append(lambda: play.replies.clear() or [])  # type: ignore[func-returns-value]
    play.press()

    def killed() -> list[LogLine | ContainerEvent]:
        play.replies = [None]
        return [play.event("die", "web", 137)]

    play.moments.append(killed)
    play.replies = [None]
    original = play.start_executing

    def start(plan: Plan) -> None:
        original(plan)
        if "stop container" in play.plans[-1]:
            play.replies = []  # it does not stop

    play.start_executing = start  # type: ignore[method-assign]
    assert Up(play).code == 130
    assert "stop container shop-web-1" in play.plans[-2]
    assert "kill container shop-web-1 with SIGKILL" in play.plans[-1]


def test_an_interrupt_while_starting_cancels_what_is_under_way(play: Play) -> None:
    play.replies = []
    play.press()
    play.moments.append(lambda: play.replies.append(None) or [])  # type: ignore[func-returns-value]
    assert Up(play).code == 130
    assert play.said[0] == "hung up"
    assert "end" not in play.said


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"abort_on_container_exit": True}, 0),
        ({"abort_on_container_failure": True}, 3),
        ({"exit_code_from": "db"}, 143),
        ({"exit_code_from": "web"}, 0),
    ],
)
def test_an_exit_can_end_everything_and_say_the_code(
    play: Play, asked: dict[str, object], code: int
) -> None:
    play.then(play.event("start", "web"), play.event("start", "db"))
    play.then(play.event("die", "web", 0))
    if "abort_on_container_failure" in asked:
        play.then(play.event("start", "web"))
        play.then(play.event("die", "web", 3))
    play.replies = [None, None]
    play.moments.append(lambda: [play.event("die", "db", 143)])
    up = Up(play, **asked)
    assert up.code == code
    assert "Aborting on container exit...\n" in up.err.getvalue()
    assert "stop container shop-db-1" in play.plans[-1]


def test_only_output_that_is_asked_for_is_shown_but_all_is_waited_for(play: Play) -> None:
    play.then(play.event("start", "web"), play.event("start", "db"))
    play.then(play.line("web", "hidden"), play.line("db", "shown"))
    play.then(play.event("die", "web"), play.event("die", "db"))
    up = Up(play, no_attach=("web",))
    assert up.text == "Attaching to db-1\ndb-1  | shown\ndb-1 exited with code 0\n"


def test_the_third_interrupt_waits_for_nothing() -> None:
    with InterruptCounter() as presses:
        assert not presses.has_any()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert presses.count == 2
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_logs_that_are_followed_end_with_the_last_container(play: Play) -> None:
    out = io.BytesIO()
    play.then(play.event("start", "db"))
    play.then(play.event("die", "web", 1))
    play.then(play.line("db", "late"), play.event("die", "db"))
    running = {play.containers["web"].record.id}
    watching.follow_until_exit(play, LogPrinter(streams=(out, out)), running)  # type: ignore[arg-type]
    assert out.getvalue().decode().splitlines()[-2:] == ["db-1   | late", "db-1 exited with code 0"]
