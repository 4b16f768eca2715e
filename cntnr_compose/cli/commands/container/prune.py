"""`cntnr container prune`: remove all containers that do not run."""

from cntnr_compose.cli.parser.list_options import filter_option
from cntnr_compose.cli.parser.options import command, flag

QUESTION = "WARNING! This will remove all stopped containers.\nAre you sure you want to continue?"


@command(of_project=False)
@filter_option("until=TIME, label[!]=NAME.")
@flag("-f", "--force", help="Do not ask.")
def prune(*, filters: tuple[str, ...], force: bool) -> int:
    """Remove all containers that do not run: those of projects, and those of none."""
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.cli.display.tables import format_size
    from cntnr_compose.cli.flows.system import pruning
    from cntnr_compose.cli.parser.since_until import parse_until

    agreed = pruning.agree_to_prune(filters, QUESTION, parse_until, force=force)
    if agreed is None:
        return 0
    code, size = pruning.prune_containers(pruning.stopped_containers(*agreed))
    stdout.print_line(f"Total reclaimed space: {format_size(size)}")
    return code
