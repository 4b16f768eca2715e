"""Open the files of containers: of running ones at once, of others under the change lock of their project.

Those of no project are held one by one instead.
"""

import contextlib
from collections.abc import Iterator, Sequence

from cntnr_compose.containers.files.container_files import ContainerFiles
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, ignore_event
from cntnr_compose.core.names import STANDALONE
from cntnr_compose.host.namespaces.holder import ENDED_FROM_OUTSIDE, HolderFailed, find_holder
from cntnr_compose.model.observed import Container


class ContainerGone(CntnrError):
    """A container was removed before its files were opened."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no such container: {name}")


@contextlib.contextmanager
def open_files(
    project: str,
    containers: Sequence[Container],
    command: str,
    *,
    rootfs_only: bool = False,
    emit: Emit = ignore_event,
) -> Iterator[list[ContainerFiles]]:
    """Open the files of containers of a project for a block, during which those that are stopped stay so.

    ``command`` is told to those who wait meanwhile.

    Raises `ContainerGone`, and what connecting to a supervisor raises.
    """
    with contextlib.ExitStack() as undo:
        namespaces = find_holder()
        if namespaces is None or not all(each.status.pid for each in containers):
            from cntnr_compose.client.client import connect

            supervisor = undo.enter_context(connect(project, emit=emit))
            if project == STANDALONE:
                supervisor.hold(each.name for each in containers)
            else:
                supervisor.lock(command, emit)
            existing = {each.record.id: each for each in supervisor.observe().containers}
            containers = [_find(existing, each) for each in containers]
            namespaces = find_holder()
        if namespaces is None:
            raise HolderFailed(ENDED_FROM_OUTSIDE)
        yield [
            undo.enter_context(ContainerFiles(namespaces, each, rootfs_only=rootfs_only))
            for each in containers
        ]


def _find(existing: dict[str, Container], container: Container) -> Container:
    if container.record.id not in existing:
        raise ContainerGone(container.name)
    return existing[container.record.id]
