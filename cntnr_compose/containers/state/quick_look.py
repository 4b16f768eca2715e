"""Read what `ps` shows of all containers from their files, as long as no supervisor has to be started for it.

Imports nothing heavy: `ps` lists containers before it has imported a library.
"""

from cntnr_compose.containers.state import plain_records
from cntnr_compose.core.files import folders, locks
from cntnr_compose.host.namespaces import holder_file
from cntnr_compose.host.namespaces.holder_file import HolderPids
from cntnr_compose.model.listed import ListedContainer


def list_containers() -> list[ListedContainer] | None:
    """Return the containers of all projects as they are; None where `observe.observe_all` has to find out.

    Raises `NotPlain`, `CntnrError`, `OSError`, where that has to find out, too.
    """
    holder = holder_file.find_holder(HolderPids)
    listed = []
    for project in plain_records.list_projects():
        containers = plain_records.read_listed(project)
        if any(one.needs_supervisor for one in containers) and not (
            holder and is_supervised(project, holder)
        ):
            return None
        if any(one.is_alive and holder and one.holder != holder.id for one in containers):
            return None
        listed += containers
    return listed


def is_supervised(project: str, holder: HolderPids) -> bool:
    """Tell whether a project's supervisor runs, in the holder that runs."""
    lock = f"{folders.HOLDER_TMPFS}/{folders.supervisor_file(project, 'lock')}"
    return locks.is_locked(holder.root(lock))
