"""`cntnr image prune`: remove the images that no container was made of."""

from cntnr_compose.cli.parser.list_options import filter_option
from cntnr_compose.cli.parser.options import command, flag

FILTERS = ("dangling", "label", "label!", "until")
QUESTION = "WARNING! This will remove all {kind}.\nAre you sure you want to continue?"
DANGLING, UNUSED = "dangling images", "images without at least one container associated to them"


@command(of_project=False)
@flag("-a", "--all", "everything", help="Also those that have a name.")
@filter_option("until=TIME, label[!]=NAME, dangling=BOOL.")
@flag("-f", "--force", help="Do not ask.")
def prune(*, everything: bool, filters: tuple[str, ...], force: bool) -> int:
    """Remove images without a name that no container was made of, or all that none was made of.

    With --all, projects that were fetched from registries and are not up go, too.
    """
    from cntnr_compose.cli.display.prompt import confirm
    from cntnr_compose.cli.flows.images import reclaiming
    from cntnr_compose.cli.flows.resource_lists import parse_filters, parse_truth
    from cntnr_compose.cli.parser.since_until import NANOSECONDS, parse_time

    conditions = parse_filters(filters, FILTERS)
    until = [(parse_time("until", text) or 0) / NANOSECONDS for text in conditions.get("until", ())]
    if parse_truth("dangling", conditions.get("dangling", ())) is False:
        everything = True
    if not force and not confirm(QUESTION.format(kind=UNUSED if everything else DANGLING)):
        return 0
    collected = reclaiming.collect_unused(conditions, until, everything=everything)
    reclaiming.print_collected("Deleted Images:", reclaiming.removed_lines(collected), collected)
    return 0
