"""`cntnr volume prune`: remove the volumes that no container mounts."""

from cntnr_compose.cli.parser.list_options import filter_option
from cntnr_compose.cli.parser.options import command, flag

FILTERS = ("all", "label", "label!")
QUESTION = (
    "WARNING! This will remove {kind} local volumes not used by at least one container.\n"
    "Are you sure you want to continue?"
)


@command(of_project=False)
@flag("-a", "--all", "everything", help="Also those that have a name.")
@filter_option("label[!]=NAME, all=true.")
@flag("-f", "--force", help="Do not ask.")
def prune(*, everything: bool, filters: tuple[str, ...], force: bool) -> int:
    """Remove anonymous volumes that no container mounts, or all that none mounts."""
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.cli.display.prompt import confirm
    from cntnr_compose.cli.display.tables import format_size
    from cntnr_compose.cli.flows.resource_lists import parse_filters, parse_truth
    from cntnr_compose.cli.flows.system.pruning import prune_volumes, unused_volumes

    conditions = parse_filters(filters, FILTERS)
    everything = parse_truth("all", conditions.get("all", ())) or everything
    if not force and not confirm(QUESTION.format(kind="all" if everything else "anonymous")):
        return 0
    code, size = prune_volumes(unused_volumes(conditions, named=everything))
    stdout.print_line(f"Total reclaimed space: {format_size(size)}")
    return code
