"""`cntnr gc`: remove bundles and images that were not used for long."""

from cntnr_compose.cli.parser.list_options import gc_limits
from cntnr_compose.cli.parser.options import command, option


@command(of_project=False)
@option(
    "-b",
    "--bundle-ttl",
    default="30m",
    metavar="TIME",
    help="Bundles unused for; 30m where not given.",
)
@option(
    "-i",
    "--image-ttl",
    default="168h",
    metavar="TIME",
    help="Images unused for; 168h where not given.",
)
@gc_limits
def gc(*, bundle_ttl: str, image_ttl: str, ref_ttl: str, max_names: int, only_show: bool) -> int:
    """Remove bundles and images that were not used for a time, as `bundle gc` and then `image gc` do.

    What something still needs stays: a bundle whose container lives, what a container was made of, what a
    build or a pull under way needs. A bundle has files of its own, and needs no image any more.
    """
    from cntnr_compose.cli.flows.bundles.removal import collect
    from cntnr_compose.cli.flows.images import reclaiming

    bundle_age = reclaiming.parse_age("--bundle-ttl", bundle_ttl)
    limits = reclaiming.parse_limits(("--image-ttl", image_ttl), ("--ref-ttl", ref_ttl), max_names)
    code = collect(bundle_age, dry_run=only_show)
    reclaiming.print_expired(
        reclaiming.collect_expired(limits, dry_run=only_show), dry_run=only_show
    )
    return code
