"""`cntnr info` and `cntnr system info`: what this machine offers containers, and what there is of them."""

from cntnr_compose.cli.parser.options import command, option


@command(of_project=False)
@option("-f", "--format", "form", default="", metavar="FORMAT", help="json, template.")
def info(form: str) -> None:
    """Show what this machine offers containers, and how many of them there are."""
    from cntnr_compose.cli.flows.resource_lists import print_object
    from cntnr_compose.cli.flows.system.info import describe_system, system_text

    print_object(describe_system(), form, system_text)
