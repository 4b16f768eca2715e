"""What the containers of a project write and how they change, as it comes, in one loop."""

import select
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from cntnr_compose.client.connection import SupervisorGone
from cntnr_compose.containers.logs.reader import (
    MAX_READ_SIZE,
    LogFile,
    LogLine,
    LogRange,
    merge_logs,
)
from cntnr_compose.core import paths
from cntnr_compose.core.events import ContainerEvent
from cntnr_compose.core.values import Seconds
from cntnr_compose.model.observed import Record

if TYPE_CHECKING:
    from cntnr_compose.client.client import Client

MIN_POLL_INTERVAL: Seconds = 0.01  # between looks at files while something is written
MAX_POLL_INTERVAL: Seconds = 0.1  # and while nothing is
StreamItem = LogLine | ContainerEvent
RecordFilter = Callable[[Record], bool]


class Selectable(Protocol):
    """Something that select can wait for."""

    def fileno(self) -> int:
        """Give the descriptor."""
        ...


class ProjectStream:
    """The output of a project's containers and their changes."""

    def __init__(self, project: str, client: "Client | None", wants: RecordFilter) -> None:
        """Prepare; ``client`` is asked for changes, ``wants`` tells whose output is."""
        self._project = project
        self._client: Client | None = None
        self._wants = wants
        self._logs: dict[str, LogFile] = {}
        self._ended: set[str] = set()  # whose end was told
        self._gone: set[str] = set()  # whose removal was told, so that nothing more can come
        self._held: deque[tuple[ContainerEvent, int]] = deque()  # and what is read of its log then
        self._pause = MIN_POLL_INTERVAL
        self.records: dict[str, Record] = {}
        if client is not None:
            self.subscribe(client)

    def subscribe(self, client: "Client") -> None:
        """Ask a supervisor for changes: at the beginning, and where another one took over."""
        self._client = client
        client.subscribe()

    def _reconnect(self) -> Iterator[ContainerEvent]:
        """Follow the supervisor that took over, and tell what ended between the two."""
        from cntnr_compose.client import client, observe

        if self._client is not None:
            self._client.close()
        self._client = None
        found = {one.record.id: one for one in observe.observe_project(self._project).containers}
        following = client.connect(self._project, start=False)
        if following is not None:
            self.subscribe(following)
        for identity, record in list(self.records.items()):
            one = found.get(identity)
            if identity in self._ended:
                continue
            if one is None:
                yield _make_event("destroy", record)
            elif not one.is_running:
                yield _make_event("die", record, exitCode=str(one.status.exit_code))

    def shown_containers(self) -> list[Record]:
        """Give the containers whose output is wanted."""
        return [self.records[identity] for identity in self._logs]

    def is_shown(self, identity: str) -> bool:
        """Tell whether a container's output is wanted."""
        return identity in self._logs

    def close(self) -> None:
        """Let go of all files, and hang up."""
        for log in self._logs.values():
            log.close()
        self._logs.clear()
        if self._client is not None:
            self._client.close()

    def read_history(self, records: Iterable[Record], span: LogRange) -> "Iterable[LogLine]":
        """Give what the containers have written so far, by time; `next` goes on from there."""
        fresh = [log for one in records if (log := self._add_container(one)) is not None]
        return merge_logs(log.read_history(span) for log in fresh)

    def wait_for_items(self, others: Iterable[Selectable] = ()) -> list[StreamItem]:
        """Wait a moment, at most until one of ``others`` has something, and give what happened.

        A container's end comes after its last line. Where the supervisor was killed, the next one is
        followed. Raises what starting that one raises.
        """
        self._close_removed()
        waiting = [*others, *([self._client] if self._client else [])]
        if self._client is None or not self._client.has_buffered_reply:
            select.select(waiting, [], [], self._pause)
        for event in self._events():
            self._queue_event(event)
        before = {identity: log.bytes_read for identity, log in self._logs.items()}
        lines = [line for log in self._logs.values() for line in log.read_new()]
        read = {identity: self._logs[identity].bytes_read - was for identity, was in before.items()}
        happened = [*sorted(lines, key=lambda line: line.timestamp), *self._complete_events(read)]
        # Where as much was there as is read at once, there is more.
        longest = (
            0 if self._held or max(read.values(), default=0) >= MAX_READ_SIZE else MAX_POLL_INTERVAL
        )
        self._pause = min(MIN_POLL_INTERVAL if happened else self._pause * 1.5, longest)
        return happened

    def _complete_events(self, read: Mapping[str, int]) -> Iterator[StreamItem]:
        """Give the changes that came, but those of containers whose output was not read so far."""
        while self._held:
            event, end = self._held[0]
            log = self._logs.get(event.id)
            if log is not None and event.action in ("die", "destroy"):
                if log.bytes_read < end and read.get(event.id):
                    return
                yield from log.read_last()
            self._held.popleft()
            if event.action == "destroy":
                self._gone.add(event.id)
            yield event

    def will_restart(self, event: ContainerEvent) -> bool:
        """Tell whether a container that ended is started again: by its policy, or by `restart`."""
        if event.attributes.get("restarting"):
            return True
        from cntnr_compose.containers.state.records import read_status

        record = self.records.get(event.id)
        return record is not None and read_status(record).state in ("restarting", "running")

    def _events(self) -> Iterable[ContainerEvent]:
        client = self._client
        try:
            while client is not None and (client.has_buffered_reply or is_readable(client)):
                event = client.next_event()
                if event is not None:
                    yield event
        except SupervisorGone:
            yield from self._reconnect()

    def _queue_event(self, event: ContainerEvent) -> None:
        """Take note of a change; it is told when what was written before it is."""
        if event.action in ("die", "destroy"):
            self._ended.add(event.id)
        elif event.action == "start":
            self._ended.discard(event.id)
        if event.id not in self.records or event.action == "rename":
            self._read_record(event.id)
        if event.id in self.records:
            log = self._logs.get(event.id)
            self._held.append((event, log.bytes_read + log.count_unread() if log else 0))

    def _close_removed(self) -> None:
        while self._gone:
            self._logs.pop(self._gone.pop()).close()

    def _read_record(self, identity: str) -> None:
        """Read what a container is: it is new, or has another name now."""
        from cntnr_compose.host import files

        path = paths.container(self._project, identity) / "record.json"
        record = files.read_value(path, Record)
        if record is not None:
            self._add_container(record)

    def _add_container(self, record: Record) -> LogFile | None:
        self.records[record.id] = record
        if record.id in self._logs or not self._wants(record):
            return None
        log = LogFile(paths.container_log(self._project, record.id), record.id)
        self._logs[record.id] = log
        return log


def _make_event(action: str, record: Record, **attributes: str) -> ContainerEvent:
    return ContainerEvent(
        action=action,
        time=time.time(),
        id=record.id,
        name=record.name,
        service=record.service,
        attributes=attributes,
    )


def is_readable(client: Selectable) -> bool:
    """Tell whether there is something to be read."""
    return bool(select.select([client], [], [], 0)[0])
