"""The groups of all commands of `cntnr`, and how click's errors are told."""

from collections.abc import Sequence

import click

from cntnr_compose import __version__
from cntnr_compose.cli.parser.click_parser import LazyGroup, click_parameter
from cntnr_compose.cli.parser.options import COMPOSE_OPTIONS, pop_shared_options
from cntnr_compose.cli.parser.registry import ALIASES, UNSUPPORTED_COMMANDS
from cntnr_compose.cli.parser.registry import COMPOSE_COMMANDS as VERBS
from cntnr_compose.core.errors import CntnrError

ROOT_COMMANDS = {
    "compose": ("cntnr_compose.cli.parser.click_groups:compose", "Services of a compose file"),
    "doctor": (
        "cntnr_compose.cli.commands.doctor:doctor",
        "What this machine allows, and its cures",
    ),
    "version": ("cntnr_compose.cli.commands.version:version", "Show the version"),
}


class CommandLineWrong(CntnrError):
    """A mistake on the command line that click found."""

    def __init__(self, sentence: str, hint: str) -> None:
        super().__init__(sentence)
        self.hint = hint


@click.group(
    cls=LazyGroup,
    table=ROOT_COMMANDS,
    subcommand_metavar="COMMAND",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-v", "--version", message="cntnr version %(version)s")
def cntnr() -> None:
    """Run containers and compose files without root."""


@click.group(
    cls=LazyGroup,
    table=VERBS,
    aliases=ALIASES,
    absent=UNSUPPORTED_COMMANDS,
    params=[click_parameter(row) for row in COMPOSE_OPTIONS],
    subcommand_metavar="COMMAND",
)
@click.pass_context
def compose(context: click.Context, /, **_: object) -> None:
    """Bring the services of a compose file up, without root."""
    context.obj = pop_shared_options(context.params)


def run_with_click(words: Sequence[str]) -> int:
    """Run a command line, and give its exit code.

    Raises `CommandLineWrong` and the errors of the command.
    """
    try:
        with cntnr.make_context("cntnr", list(words)) as context:
            code = cntnr.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())  # the help text
        return 0
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        from cntnr_compose.cli.parser.click_errors import describe_error

        raise CommandLineWrong(*describe_error(error)) from None
    return code if isinstance(code, int) else 0
