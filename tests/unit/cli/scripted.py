"""Stand in for the client and the stream of an attached command; a test scripts the events."""

import signal
from collections.abc import Callable, Iterable
from typing import Self

import pytest

from cntnr_compose.containers.logs.lines import LogLine, LogRange
from cntnr_compose.core.events import ContainerEvent, Event
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import Observed, Record
from cntnr_compose.model.plan import Plan, render_plan
from tests.unit.cli.factories import container

Moment = Callable[[], list[LogLine | ContainerEvent]]


class ScriptedSupervisor:
    """Play the script of a test as client, stream and containers, moment by moment."""

    def __init__(self) -> None:
        self.containers = {name: container(name, state="created") for name in ("web", "db")}
        self.moments: list[Moment] = []
        self.plans: list[str] = []
        self.calls: list[str] = []
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

    def lock(self, what: str, _emit: object) -> None:
        self.calls.append(f"lock {what}")

    def unlock(self) -> None:
        self.calls.append("unlock")

    def close(self) -> None:
        self.calls.append("close")

    def observe(self) -> Observed:
        running = (
            replace(container, status=replace(container.status, state="running"))
            for container in self.containers.values()
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

    def read_history(self, _records: Iterable[Record], log_range: LogRange) -> list[LogLine]:
        assert log_range.tail == 0
        return []

    def shown_containers(self) -> list[Record]:
        return [one for one in self.records.values() if self.wants(one)]

    def is_shown(self, identity: str) -> bool:
        return self.wants(self.records[identity])

    def will_restart(self, _event: ContainerEvent) -> bool:
        return "restarts" in self.calls

    def wait_for_items(self, _others: object = ()) -> list[LogLine | ContainerEvent]:
        if not self.moments:
            pytest.fail("it waits for something that never comes")
        happened = self.moments.pop(0)()
        return [
            item
            for item in happened
            if not isinstance(item, LogLine) or self.wants(self.records[item.container_id])
        ]
