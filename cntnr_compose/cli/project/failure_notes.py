"""The history of services, as commands add to it and remove it; otherwise supervisors write it."""

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


@contextlib.contextmanager
def removing_history(
    project: str, services: Collection[str], *, dry_run: bool = False
) -> Iterator[None]:
    """Remove the history of services, or of all, after the block.

    Where the block fails it stays, unless no container is left that it could tell of.
    """
    from cntnr_compose.client.observe import read_containers
    from cntnr_compose.containers.state.history import remove_history

    try:
        yield
    except CntnrError:
        if not (dry_run or read_containers(project)):
            remove_history(project)
        raise
    if not dry_run:
        remove_history(project, services)
