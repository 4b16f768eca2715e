"""`cntnr version` and `cntnr compose version`."""

from typing import TYPE_CHECKING

from cntnr_compose import __version__
from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.parser.options import flag, option, verb

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import Scope


@verb()
@option("-f", "--format", "form", metavar="FORMAT", default="pretty", help="pretty or json.")
@flag("--short", text="Only the number.")
def version(_scope: "Scope", form: str, *, short: bool) -> None:
    """Show the version of cntnr."""
    if short:
        out.say(__version__)
    elif form == "json":
        out.say(f'{{"version":"v{__version__}"}}')
    else:
        out.say(f"cntnr compose version v{__version__}")
