"""`cntnr image gc`: remove images that were not used for long."""

from cntnr_compose.cli.parser.list_options import gc_limits
from cntnr_compose.cli.parser.options import command, option


@command(of_project=False)
@option("-t", "--ttl", default="168h", metavar="TIME", help="Unused for; 168h where not given.")
@gc_limits
def gc(*, ttl: str, ref_ttl: str, max_names: int, only_show: bool) -> int:
    """Remove images without a name that were not used for a time, and names that are too old or too many.

    What a container was made of stays, and what a build or a pull under way needs. "Used" means that a
    container was made of an image, or another image built from it, or that it was pulled or named.
    """
    from cntnr_compose.cli.flows.images import reclaiming

    limits = reclaiming.parse_limits(("--ttl", ttl), ("--ref-ttl", ref_ttl), max_names)
    collected = reclaiming.collect_expired(limits, dry_run=only_show)
    reclaiming.print_expired(collected, dry_run=only_show)
    return 0
