"""`cntnr builder prune`: remove the cache of builds."""

from cntnr_compose.cli.parser.list_options import filter_option
from cntnr_compose.cli.parser.options import command, flag, option

FILTERS = ("until", "unused-for", "type")
QUESTION = "WARNING! This will remove all {kind}build cache. Are you sure you want to continue?"


@command(of_project=False)
@flag("-a", "--all", "everything", help="Also the records of steps that images consist of.")
@filter_option("until=TIME (unused for), type=KIND.")
@flag("-f", "--force", help="Do not ask.")
@option(
    "--keep-storage",
    "--reserved-space",
    "keep",
    default="",
    metavar="SIZE",
    help="Keep this much of what was used last.",
)
def prune(*, everything: bool, filters: tuple[str, ...], force: bool, keep: str) -> int:
    """Remove the cache of builds: results of steps, downloads, and what RUN --mount=type=cache keeps.

    What an image consists of stays, and what a build under way uses.
    """
    from cntnr_compose.cli.display.prompt import confirm
    from cntnr_compose.cli.flows.images import cache_reclaiming, reclaiming
    from cntnr_compose.cli.flows.resource_lists import parse_filters
    from cntnr_compose.images.storage.build_cache import prune_cache

    conditions = parse_filters(filters, FILTERS)
    before = cache_reclaiming.parse_unused_for(conditions)
    choose = cache_reclaiming.choose_kinds(conditions.get("type", ()))
    size = cache_reclaiming.parse_storage(keep)
    if not force and not confirm(QUESTION.format(kind="" if everything else "dangling ")):
        return 0
    collected = prune_cache(before=before, keep=size, shared_too=everything, choose=choose)
    lines = cache_reclaiming.removed_records(collected)
    reclaiming.print_collected("Deleted build cache objects:", lines, collected)
    return 0
