"""`cntnr version` and `cntnr compose version`."""

from typing import TYPE_CHECKING

from cntnr_compose import __version__
from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import command, flag, option

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command()
@option("-f", "--format", "form", metavar="FORMAT", default="pretty", help="pretty or json.")
@flag("--short", help="Only the number.")
def version(_options: "ProjectOptions", form: str, *, short: bool) -> None:
    """Show the version of cntnr."""
    if short:
        stdout.print_line(__version__)
    elif form == "json":
        stdout.print_line(f'{{"version":"v{__version__}"}}')
    else:
        stdout.print_line(f"cntnr compose version v{__version__}")
