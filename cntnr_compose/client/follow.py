"""Follow the output and the state changes of a project's containers as one stream."""

import contextlib
import select
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from cntnr_compose.client.connection import SupervisorGone
from cntnr_compose.containers.logs.lines import LogLine, LogRange, merge_logs
from cntnr_compose.containers.logs.reader import MAX_READ_SIZE, LogFile
from cntnr_compose.core import paths
from cntnr_compose.core.events import ContainerEvent
from cntnr_compose.core.values import Seconds
from cntnr_compose.model.listed import RUNNING_STATES
from cntnr_compose.model.observed import Record

if TYPE_CHECKING:
    from cntnr_compose.client.client import Client

MIN_POLL_INTERVAL: Seconds = 0.01  # between reads of log files while something is written
MAX_POLL_INTERVAL: Seconds = 0.1  # and while nothing is
StreamItem = LogLine | ContainerEvent
RecordFilter = Callable[[Record], bool]


class Selectable(Protocol):
    """An object that select can wait for."""

    def fileno(self) -> int:
        """Return the descriptor."""
        ...


class ProjectStream:
    """The output of a project's containers, and their events."""

    def __init__(self, project: str, client: "Client | None", selects: RecordFilter) -> None:
        """Subscribe to events by ``client``; ``selects`` tells which containers' output to read."""
        self._project = project
        self._client: Client | None = None
        self._selects = selects
        self._logs: dict[str, LogFile] = {}
        self._ended: set[str] = set()  # whose end was emitted
        self._removed: set[str] = set()  # whose removal was emitted, so that nothing more can come
        # Events, each with the size of the container's log at that time: all of that is emitted before it.
        self._queue: deque[tuple[ContainerEvent, int]] = deque()
        self._pause = MIN_POLL_INTERVAL
        self._awaits_successor = (
            False  # whether containers run, and nobody tells what becomes of them
        )
        self.records: dict[str, Record] = {}
        if client is not None:
            self.subscribe(client)

    def subscribe(self, client: "Client") -> None:
        """Subscribe to a supervisor's events: at the beginning, and when another one took over."""
        self._client = client
        client.subscribe()

    def _reconnect(self) -> Iterator[ContainerEvent]:
        """Subscribe to the supervisor that took over, and make events for what ended meanwhile."""
        from cntnr_compose.client import client, observe

        if self._client is not None:
            self._client.close()
        self._client = None
        observed = observe.observe_project(self._project)
        containers = {one.record.id: one for one in observed.containers}
        with contextlib.suppress(SupervisorGone):  # it was killed, too
            successor = client.connect(self._project, start=False)
            if successor is not None:
                successor.subscribe()
                self._client = successor
        # One that takes over at the moment may not listen yet.
        self._awaits_successor = self._client is None and any(
            container.is_running for container in observed.containers
        )
        for container_id, record in list(self.records.items()):
            container = containers.get(container_id)
            if container_id in self._ended:
                continue
            if container is None:
                yield _make_event("destroy", record)
            elif not container.is_running:
                yield _make_event("die", record, exitCode=str(container.status.exit_code))

    def shown_containers(self) -> list[Record]:
        """Return the containers whose output is read."""
        return [self.records[container_id] for container_id in self._logs]

    def is_shown(self, container_id: str) -> bool:
        """Tell whether a container's output is read."""
        return container_id in self._logs

    def close(self) -> None:
        """Close all files and the connection."""
        for log in self._logs.values():
            log.close()
        self._logs.clear()
        if self._client is not None:
            self._client.close()

    def read_history(self, records: Iterable[Record], log_range: LogRange) -> "Iterable[LogLine]":
        """Read what the containers have written so far, by time; `wait_for_items` goes on from there."""
        new_logs = [log for one in records if (log := self._add_container(one)) is not None]
        return merge_logs(log.read_history(log_range) for log in new_logs)

    def wait_for_items(self, others: Iterable[Selectable] = ()) -> list[StreamItem]:
        """Wait a moment, at most until one of ``others`` is readable, and return new lines and events.

        A container's end comes after its last line. If the supervisor was killed, its successor is
        subscribed to. Raises what starting that one raises.
        """
        self._close_removed()
        waiting = [*others, *([self._client] if self._client else [])]
        if self._client is None or not self._client.has_buffered_reply:
            select.select(waiting, [], [], self._pause)
        for event in self._events():
            self._queue_event(event)
        sizes_before = {container_id: log.bytes_read for container_id, log in self._logs.items()}
        lines = [line for log in self._logs.values() for line in log.read_new()]
        read = {
            container_id: self._logs[container_id].bytes_read - before
            for container_id, before in sizes_before.items()
        }
        items = [*sorted(lines, key=lambda line: line.timestamp), *self._complete_events(read)]
        # If as much was there as is read at once, there is more.
        longest_pause = (
            0
            if self._queue or max(read.values(), default=0) >= MAX_READ_SIZE
            else MAX_POLL_INTERVAL
        )
        self._pause = min(MIN_POLL_INTERVAL if items else self._pause * 1.5, longest_pause)
        return items

    def _complete_events(self, read: Mapping[str, int]) -> Iterator[StreamItem]:
        """Return the events that came, up to the first whose container has output left to read."""
        while self._queue:
            event, end = self._queue[0]
            log = self._logs.get(event.id)
            if log is not None and event.action in ("die", "destroy"):
                if log.bytes_read < end and read.get(event.id):
                    return
                yield from log.read_last()
            self._queue.popleft()
            if event.action == "destroy":
                self._removed.add(event.id)
            yield event

    def will_restart(self, event: ContainerEvent) -> bool:
        """Tell whether a container that ended is started again: by its policy, or by `restart`."""
        if event.attributes.get("restarting"):
            return True
        from cntnr_compose.containers.state.records import read_status

        record = self.records.get(event.id)
        return record is not None and read_status(record).state in RUNNING_STATES

    def _events(self) -> Iterable[ContainerEvent]:
        if self._awaits_successor:
            yield from self._reconnect()
        client = self._client
        try:
            while client is not None and (client.has_buffered_reply or is_readable(client)):
                event = client.next_event()
                if event is not None:
                    yield event
        except SupervisorGone:
            yield from self._reconnect()

    def _queue_event(self, event: ContainerEvent) -> None:
        """Queue an event until everything that was written before it is emitted."""
        if event.action in ("die", "destroy"):
            self._ended.add(event.id)
        elif event.action == "start":
            self._ended.discard(event.id)
        if event.id not in self.records or event.action == "rename":
            self._read_record(event.id)
        if event.id in self.records:
            log = self._logs.get(event.id)
            self._queue.append((event, log.bytes_read + log.count_unread() if log else 0))

    def _close_removed(self) -> None:
        while self._removed:
            self._logs.pop(self._removed.pop()).close()

    def _read_record(self, container_id: str) -> None:
        """Read the record of a container that is new or was renamed."""
        from cntnr_compose.host import files

        path = paths.container(self._project, container_id) / "record.json"
        record = files.read_value(path, Record)
        if record is not None:
            self._add_container(record)

    def _add_container(self, record: Record) -> LogFile | None:
        self.records[record.id] = record
        if record.id in self._logs or not self._selects(record):
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
    """Tell whether a descriptor is readable now."""
    return bool(select.select([client], [], [], 0)[0])
