"""`cntnr version` and `cntnr compose version`."""

from typing import TYPE_CHECKING

import click

from cntnr_compose import __version__
from cntnr_compose.cli.options import Verb

if TYPE_CHECKING:
    from cntnr_compose.cli.scope import Scope


@click.command(cls=Verb)
@click.option("-f", "--format", "form", metavar="FORMAT", default="pretty", help="pretty or json.")
@click.option("--short", is_flag=True, help="Only the number.")
def version(_scope: "Scope", form: str, *, short: bool) -> None:
    """Show the version of cntnr."""
    if short:
        click.echo(__version__)
    elif form == "json":
        click.echo(f'{{"version":"v{__version__}"}}')
    else:
        click.echo(f"cntnr compose version v{__version__}")
