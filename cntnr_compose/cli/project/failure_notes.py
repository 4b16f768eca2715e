"""Add to the history of services that a command was to start them and failed before it could."""

import contextlib
import time
from collections.abc import Collection, Iterator

from cntnr_compose.core.errors import CntnrError


@contextlib.contextmanager
def noting_failure(project: str, services: Collection[str], command: str) -> Iterator[None]:
    """Note an error of the block for `why`, for services without a running container."""
    try:
        yield
    except CntnrError as error:
        from cntnr_compose.cli.project.mount_sources import not_running
        from cntnr_compose.containers.state.history import PastEvent, add_entry

        entry = PastEvent(time=time.time(), action="not_started", cause=str(error), command=command)
        for service in not_running(project, services):
            add_entry(project, service, entry)
        raise
