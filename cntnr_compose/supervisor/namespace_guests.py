"""Restart containers that share namespaces of one that was restarted by itself: theirs ended with it."""

from cntnr_compose.containers.bundle import shared_namespaces
from cntnr_compose.containers.managed import managed_containers
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import ContainerEvent
from cntnr_compose.model.observed import Record


def restart_with_owners(context: ProjectContext) -> None:
    """From now on restart what shares the namespaces of a container, after its restart policy did that."""

    def follow(event: ContainerEvent) -> None:
        if event.action == "restart":
            work = _restart_guests(context, event.id)
            context.start_task(work, f"restart of what shares namespaces of {event.name}")

    context.subscribers.append(follow)


async def _restart_guests(context: ProjectContext, owner: str) -> None:
    for container in list(managed_containers(context).values()):
        if not container.record.oneoff and owner in _owner_ids(context, container.record):
            try:
                await container.restart_if_running()
            except CntnrError as error:
                container.write(error=str(error))


def _owner_ids(context: ProjectContext, record: Record) -> set[str]:
    """Return the ids of those whose namespaces a container shares, also by one in between."""
    try:
        owners = shared_namespaces.find_namespace_owners(context, record)
        network_owner = shared_namespaces.find_network_owner(context, record)
    except shared_namespaces.NamespaceMissing:
        return set()  # its restart policy sees to it, if any
    return {owner.id for owner in (*owners, network_owner) if owner is not None}
