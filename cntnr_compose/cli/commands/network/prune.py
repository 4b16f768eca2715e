"""`cntnr network prune`: remove the networks that no container is on."""

from cntnr_compose.cli.parser.list_options import filter_option
from cntnr_compose.cli.parser.options import command, flag

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
    from cntnr_compose.cli.flows.resource_lists import parse_filters
    from cntnr_compose.cli.flows.system.pruning import prune_networks, unused_networks
    from cntnr_compose.cli.parser.since_until import parse_until

    conditions = parse_filters(filters, FILTERS)
    until = parse_until(conditions.get("until", ()))
    if not force and not confirm(QUESTION):
        return 0
    return prune_networks(unused_networks(conditions, until))
