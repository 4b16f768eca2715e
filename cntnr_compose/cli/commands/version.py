"""`cntnr version`: versions of cntnr and of the programs that containers run by."""

from cntnr_compose.cli.parser.options import command, flag, option


@command(of_project=False)
@option("-f", "--format", "form", default="", metavar="FORMAT", help="json, template.")
@flag("--short", help="Print only the number.")
def version(form: str, *, short: bool) -> None:
    """Show the versions of cntnr and of the programs that containers run by."""
    if short:
        from cntnr_compose import __version__
        from cntnr_compose.cli.display import stdout

        stdout.print_line(__version__)
        return
    from cntnr_compose.cli.flows.resource_lists import print_object
    from cntnr_compose.cli.flows.system.versions import describe_versions, versions_text

    print_object(describe_versions(), form, versions_text)
