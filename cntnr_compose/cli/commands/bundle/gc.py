"""`cntnr bundle gc`: remove bundles that were not used for long."""

from cntnr_compose.cli.parser.options import command, flag, option


@command(of_project=False)
@option("-t", "--ttl", default="30m", metavar="TIME", help="Unused for; 30m where not given.")
@flag("--dry-run", "only_show", help="Print what would go, and remove nothing.")
def gc(*, ttl: str, only_show: bool) -> int:
    """Remove the bundles that were not used for a time, and print their names.

    A bundle is used when it is created, updated or run. One whose container lives stays, and so do those in
    folders of yours.
    """
    from cntnr_compose.cli.flows.bundles.removal import collect
    from cntnr_compose.cli.flows.images.reclaiming import parse_age

    return collect(parse_age("--ttl", ttl), dry_run=only_show)
