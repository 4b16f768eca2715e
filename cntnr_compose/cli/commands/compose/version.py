"""`cntnr compose version`: the version of cntnr, in docker compose's forms."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser import program_name
from cntnr_compose.cli.parser.options import command, flag, option

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command()
@option(
    "-f",
    "--format",
    "form",
    metavar="FORMAT",
    default="pretty",
    values=("pretty", "json"),
    help="pretty or json.",
)
@flag("--short", help="Print only the number.")
def version(_options: "ProjectOptions", form: str, *, short: bool) -> None:
    """Show the version of cntnr."""
    if short:
        stdout.print_line(program_name.version())
    elif form == "json":
        stdout.print_line(f'{{"version":"v{program_name.version()}"}}')
    else:
        stdout.print_line(program_name.version_line())
