"""`cntnr container prune`: remove all containers that do not run."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.list_options import filter_option
from cntnr_compose.cli.parser.options import command, flag
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cntnr_compose.model.observed import Container
    from cntnr_compose.model.plan import Operation

FILTERS = ("label", "label!", "until")
STATES = ("created", "exited", "dead")
QUESTION = "WARNING! This will remove all stopped containers.\nAre you sure you want to continue?"


class StartedMeanwhile(CntnrError):
    """A container that was stopped runs again."""

    def __init__(self, name: str) -> None:
        super().__init__(f"container {name} was started meanwhile: it stays")


@command(of_project=False)
@filter_option("until=TIME, label[!]=NAME.")
@flag("-f", "--force", help="Do not ask.")
def prune(*, filters: tuple[str, ...], force: bool) -> int:
    """Remove all containers that do not run: those of projects, and those of none."""
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.cli.display.prompt import confirm
    from cntnr_compose.cli.display.tables import format_size
    from cntnr_compose.cli.flows.container_views.sizes import measure_containers
    from cntnr_compose.cli.flows.containers.changes import change_containers
    from cntnr_compose.cli.flows.resource_lists import parse_filters

    conditions = parse_filters(filters, FILTERS)
    containers = _select(conditions)
    if not force and not confirm(QUESTION):
        return 0
    sizes = measure_containers(containers)
    code = 0
    if containers:
        stdout.print_line("Deleted Containers:")
        code = change_containers(list(sizes), "container prune", _remove)
        stdout.print_line("")
    left = {one.record.id for one in _select({})} if code else set()
    freed = sum(size for identity, (size, _) in sizes.items() if identity not in left)
    stdout.print_line(f"Total reclaimed space: {format_size(freed)}")
    return code


def _select(filters: "Mapping[str, Sequence[str]]") -> "list[Container]":
    """List the stopped containers that filters let through. Raises `TimeUnreadable`."""
    from cntnr_compose.cli.flows.resource_lists import matches_labels
    from cntnr_compose.cli.parser.since_until import parse_until
    from cntnr_compose.client.observe import observe_all

    until = parse_until(filters.get("until", ()))
    return [
        container
        for container in observe_all()
        if container.status.state in STATES
        and container.record.created <= until
        and matches_labels(container.record.labels, filters)
    ]


def _remove(container: "Container") -> "Sequence[Operation]":
    """Return how a container is removed; nothing is done with one that was started meanwhile."""
    from cntnr_compose.model.plan import RemoveContainer

    if container.status.state not in STATES:
        raise StartedMeanwhile(container.name)
    return [RemoveContainer(name=container.name)]
