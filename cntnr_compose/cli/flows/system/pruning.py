"""Select and remove what nobody uses: stopped containers, networks, volumes; for all `prune` commands.

Filters are ``label`` and ``label!`` (`resource_lists.parse_filters`); ``until`` is the time before which what
goes was made.
"""

from collections.abc import Callable, Mapping, Sequence

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.display.prompt import confirm
from cntnr_compose.cli.flows.boot import remove_boot_entry
from cntnr_compose.cli.flows.container_views.sizes import measure_containers
from cntnr_compose.cli.flows.containers.changes import change_containers
from cntnr_compose.cli.flows.resource_lists import matches_labels, parse_filters, print_pruned
from cntnr_compose.client import resources
from cntnr_compose.client.observe import observe_all
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.names import DEFAULT_NETWORK
from cntnr_compose.core.values import Bytes, Seconds
from cntnr_compose.model.observed import Container
from cntnr_compose.model.plan import Operation, RemoveContainer
from cntnr_compose.volumes.store import observe_volumes

Filters = Mapping[str, Sequence[str]]
FILTERS = ("label", "label!", "until")
STOPPED_STATES = ("created", "exited", "dead")


class StartedMeanwhile(CntnrError):
    """A container that was stopped runs again."""

    def __init__(self, name: str) -> None:
        super().__init__(f"container {name} was started meanwhile: it stays")


def agree_to_prune(
    filters: Sequence[str],
    question: str,
    parse_until: Callable[[Sequence[str]], Seconds],
    *,
    force: bool,
) -> tuple[Filters, Seconds] | None:
    """Read the filters of a command, and ask unless ``force``; None where the answer is no.

    Raises `FilterInvalid`, `TimeUnreadable`.
    """
    conditions = parse_filters(filters, FILTERS)
    until = parse_until(conditions.get("until", ()))
    return (conditions, until) if force or confirm(question) else None


def stopped_containers(filters: Filters, until: Seconds) -> list[Container]:
    """List the containers that do not run and that filters let through."""
    return [
        container
        for container in observe_all()
        if container.status.state in STOPPED_STATES
        and container.record.created <= until
        and matches_labels(container.record.labels, filters)
    ]


def prune_containers(containers: Sequence[Container]) -> tuple[int, Bytes]:
    """Remove containers and print their ids; return the exit code, and how many bytes that freed."""
    if not containers:
        return 0, 0
    sizes = measure_containers(containers)
    stdout.print_line("Deleted Containers:")
    code = change_containers(list(sizes), "container prune", _remove)
    remove_boot_entry()
    stdout.print_line("")
    left = {one.record.id for one in observe_all()} if code else set()
    return code, sum(size for identity, (size, _) in sizes.items() if identity not in left)


def _remove(container: Container) -> Sequence[Operation]:
    """Return how a container is removed; nothing is done with one that was started meanwhile."""
    if container.status.state not in STOPPED_STATES:
        raise StartedMeanwhile(container.name)
    return [RemoveContainer(name=container.name)]


def unused_networks(filters: Filters, until: Seconds) -> list[str]:
    """Name the networks that no container is on, running or not, and that filters let through.

    A network of a stopped container stays: its project would have to make it again.
    """
    containers = resources.list_containers()
    used = {name for container in containers for name in container.record.networks.values()}
    used.add(DEFAULT_NETWORK)  # docker's own
    return [
        network.found.name
        for network in resources.list_networks()
        if network.found.name not in used
        and matches_labels(network.found.labels, filters)
        and network.found.created <= until
    ]


def prune_networks(names: Sequence[str]) -> int:
    """Remove networks, print their names, and return the exit code."""
    return print_pruned("Deleted Networks:", resources.remove_networks(names)) if names else 0


def unused_volumes(filters: Filters, *, named: bool) -> list[str]:
    """Name the volumes that no container mounts and that filters let through.

    Unless those that are ``named``, too, only anonymous ones.
    """
    used = resources.used_volumes()
    return [
        volume.name
        for volume in observe_volumes().values()
        if volume.name not in used
        and (named or volume.anonymous)
        and matches_labels(volume.labels, filters)
    ]


def prune_volumes(names: Sequence[str]) -> tuple[int, Bytes]:
    """Remove volumes and print their names; return the exit code, and how many bytes that freed."""
    results = resources.remove_volumes(names)
    code = print_pruned("Deleted Volumes:", results)
    return code, sum(result.size for result in results)
