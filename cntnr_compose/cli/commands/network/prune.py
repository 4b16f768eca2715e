"""`cntnr network prune`: remove the networks that no container is on."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.list_options import filter_option
from cntnr_compose.cli.parser.options import command, flag

if TYPE_CHECKING:
    from cntnr_compose.networks.records import ManagedNetwork

FILTERS = ("label", "label!", "until")
QUESTION = (
    "WARNING! This will remove all custom networks not used by at least one container.\n"
    "Are you sure you want to continue?"
)


@command(of_project=False)
@filter_option("until=TIME, label[!]=NAME.")
@flag("-f", "--force", help="Do not ask.")
def prune(*, filters: tuple[str, ...], force: bool) -> int:
    """Remove all networks that no container is on."""
    from cntnr_compose.cli.display.prompt import confirm
    from cntnr_compose.cli.flows.resource_lists import parse_filters, print_pruned
    from cntnr_compose.client.resources import remove_networks

    conditions = parse_filters(filters, FILTERS)
    names = [network.found.name for network in _unused_networks(conditions)]
    if not force and not confirm(QUESTION):
        return 0
    return print_pruned("Deleted Networks:", remove_networks(names))


def _unused_networks(filters: dict[str, list[str]]) -> "list[ManagedNetwork]":
    """List the networks that no container is on, running or not, and that filters let through.

    A network of a stopped container stays: its project would have to make it again. Raises `TimeUnreadable`.
    """
    from cntnr_compose.cli.flows.resource_lists import matches_labels
    from cntnr_compose.cli.parser.since_until import parse_until
    from cntnr_compose.client.resources import list_containers, list_networks

    until = parse_until(filters.get("until", ()))
    used = {name for container in list_containers() for name in container.record.networks.values()}
    return [
        network
        for network in list_networks()
        if network.found.name not in used
        and matches_labels(network.found.labels, filters)
        and network.found.created <= until
    ]
