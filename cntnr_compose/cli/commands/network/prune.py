"""`cntnr network prune`: remove the networks that no container is on."""

from cntnr_compose.cli.parser.list_options import filter_option
from cntnr_compose.cli.parser.options import command, flag

QUESTION = (
    "WARNING! This will remove all custom networks not used by at least one container.\n"
    "Are you sure you want to continue?"
)


@command(of_project=False)
@filter_option("until=TIME, label[!]=NAME.")
@flag("-f", "--force", help="Do not ask.")
def prune(*, filters: tuple[str, ...], force: bool) -> int:
    """Remove all networks that no container is on."""
    from cntnr_compose.cli.flows.system import pruning
    from cntnr_compose.cli.parser.since_until import parse_until

    agreed = pruning.agree_to_prune(filters, QUESTION, parse_until, force=force)
    return pruning.prune_networks(pruning.unused_networks(*agreed)) if agreed else 0
