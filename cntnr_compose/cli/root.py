"""The group of all commands of `cntnr`."""

import click

from cntnr_compose import __version__
from cntnr_compose.cli.lazy import LazyGroup

TABLE = {
    "compose": ("cntnr_compose.cli.compose:compose", "Services of a compose file"),
    "doctor": ("cntnr_compose.cli.verbs.doctor:doctor", "What this machine allows, and its cures"),
    "version": ("cntnr_compose.cli.verbs.version:version", "Show the version"),
}


@click.group(
    cls=LazyGroup,
    table=TABLE,
    subcommand_metavar="COMMAND",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-v", "--version", message="cntnr version %(version)s")
def cntnr() -> None:
    """Run containers and compose files without root."""
