"""Stream the events of containers, of one project or of all, from one supervisor after the other."""

import contextlib
import math
import select
import time
from collections.abc import Iterator

from cntnr_compose.client import client, observe
from cntnr_compose.client.connection import SupervisorGone
from cntnr_compose.containers.state import plain_records
from cntnr_compose.core.events import ContainerEvent, ResourceEvent
from cntnr_compose.core.values import Seconds
from cntnr_compose.host.event_log import ResourceEventReader
from cntnr_compose.model.protocol import Subscribe

POLL_INTERVAL: Seconds = 0.2  # between looks for a supervisor while the project has none


def stream_events(
    project: str, *, since: Seconds = 0, until: Seconds = 0
) -> Iterator[ContainerEvent]:
    """Yield events of the time ``since`` and later (0: from now on), up to the time ``until`` (0: for ever).

    While the project has no supervisor, wait for one. It knows its latest events, and none of before its
    own start. Raises what `client.connect` raises.
    """
    since = since or time.time()
    while True:
        observe.observe_project(project)  # containers that lost their supervisor get another one
        supervisor = _wait_for_supervisor(project, until)
        if supervisor is None:
            return
        with supervisor, contextlib.suppress(SupervisorGone):
            supervisor.subscribe(Subscribe(since=since, until=until, keeps_supervisor=False))
            while (event := supervisor.next_event()) is not None:
                since = math.nextafter(event.time, math.inf)
                yield event
            return


def _wait_for_supervisor(project: str, until: Seconds) -> client.Client | None:
    """Wait for a project's supervisor; None if there is none at the time ``until``."""
    while True:
        supervisor = client.connect(project, start=False)
        if supervisor is not None or (until and time.time() >= until):
            return supervisor
        time.sleep(min(POLL_INTERVAL, max(until - time.time(), 0)) if until else POLL_INTERVAL)


SETTLING: Seconds = 0.05  # without a further event, all supervisors have told of what was before


def stream_all_events(
    *, since: Seconds = 0, until: Seconds = 0
) -> Iterator[ContainerEvent | ResourceEvent]:
    """Yield the events of all projects, networks and volumes like `stream_events`.

    Those of before come in the order of time. Raises what `client.connect` raises.
    """
    since = since or time.time()
    end = until or math.inf
    with (
        contextlib.closing(_Subscriptions(since, until)) as subscriptions,
        contextlib.closing(ResourceEventReader()) as resources,
    ):
        subscriptions.renew()
        events: list[ContainerEvent | ResourceEvent] = []
        while (batch := subscriptions.read(SETTLING)) is not None:
            events += batch
        events += [event for event in resources.read_history() if since <= event.time <= end]
        yield from sorted(events, key=lambda event: event.time)
        while not subscriptions.have_ended:
            events = [*(subscriptions.read(POLL_INTERVAL) or ())]
            events += [event for event in resources.read_new() if event.time <= end]
            yield from sorted(events, key=lambda event: event.time)
            subscriptions.renew()


class _Subscriptions:
    """Subscriptions to the supervisors of all projects."""

    def __init__(self, since: Seconds, until: Seconds) -> None:
        self._since, self._until = since, until
        self._next: dict[str, Seconds] = {}  # of a project: from when on its next events are
        self._clients: dict[str, client.Client] = {}
        self._ended: set[str] = set()  # projects of which no event is to come

    @property
    def have_ended(self) -> bool:
        """Tell whether no event is to come any more."""
        return bool(self._until) and not self._clients and time.time() >= self._until

    def close(self) -> None:
        """Disconnect from all."""
        for supervisor in self._clients.values():
            supervisor.close()

    def renew(self) -> None:
        """Subscribe to the supervisors that are new: of new projects, and those that took over."""
        for project in plain_records.list_projects():
            if project in self._clients or project in self._ended:
                continue
            observe.observe_project(
                project
            )  # containers that lost their supervisor get another one
            supervisor = client.connect(project, start=False)
            if supervisor is None:
                continue
            since = self._next.get(project, self._since)
            with contextlib.suppress(SupervisorGone):
                supervisor.subscribe(
                    Subscribe(since=since, until=self._until, keeps_supervisor=False)
                )
                self._clients[project] = supervisor

    def read(self, timeout: Seconds) -> list[ContainerEvent] | None:
        """Wait at most for a time until a supervisor tells something; return the events, None for nothing."""
        events = []
        waiting = {each: project for project, each in self._clients.items()}
        ready = [each for each in waiting if each.has_buffered_reply]
        ready = ready or select.select(list(waiting), [], [], timeout)[0]
        if not ready:
            return None
        for supervisor in ready:
            project = waiting[supervisor]
            try:
                event = supervisor.next_event()
            except SupervisorGone:
                self._forget(project)
                continue
            if event is None:
                self._ended.add(project)
                self._forget(project)
            else:
                self._next[project] = math.nextafter(event.time, math.inf)
                events.append(event)
        return events

    def _forget(self, project: str) -> None:
        self._clients.pop(project).close()
