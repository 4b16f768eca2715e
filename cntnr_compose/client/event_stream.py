"""Stream the events of a project's containers, from one supervisor after the other."""

import contextlib
import math
import time
from collections.abc import Iterator

from cntnr_compose.client import client, observe
from cntnr_compose.client.connection import SupervisorGone
from cntnr_compose.core.events import ContainerEvent
from cntnr_compose.core.values import Seconds
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
