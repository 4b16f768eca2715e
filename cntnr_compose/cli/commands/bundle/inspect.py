"""`cntnr bundle inspect`: describe bundles as JSON."""

from cntnr_compose.cli.parser.options import argument, command, option


@command("BUNDLE [BUNDLE...]", of_project=False)
@argument("names", many=True, metavar="BUNDLE")
@option("-f", "--format", "form", default="", metavar="FORMAT", help="json, template.")
def inspect(names: tuple[str, ...], *, form: str) -> int:
    """Describe bundles, by name or folder: image, status, and config.json."""
    from cntnr_compose.cli.flows.bundles.listing import describe
    from cntnr_compose.cli.flows.resource_lists import print_inspected

    return print_inspected(names, form, describe)
