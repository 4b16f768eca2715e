"""The command `cntnr`: the group, and errors turned into exit codes. Nothing else."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from cntnr_compose import __version__
from cntnr_compose.cli.lazy import LazyGroup
from cntnr_compose.core.errors import CntnrError

TABLE = {
    "compose": ("cntnr_compose.cli.compose:compose", "Services of a compose file"),
    "doctor": ("cntnr_compose.cli.verbs.doctor:doctor", "What this machine allows, and its cures"),
    "version": ("cntnr_compose.cli.verbs.version:version", "Show the version"),
}
INTERRUPTED = 130
BROKEN_PIPE = 141  # as a shell reports a program that SIGPIPE ended
BUG = 70


@click.group(
    cls=LazyGroup,
    table=TABLE,
    subcommand_metavar="COMMAND",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-v", "--version", message="cntnr version %(version)s")
def cntnr() -> None:
    """Run containers and compose files without root."""


def main() -> NoReturn:
    """Run the command line of this process, and end it."""
    import gc
    import signal

    # A short life makes little garbage; looking for it costs a twentieth of the start.
    gc.set_threshold(100_000)

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    # Shells start background jobs with SIGINT ignored; as docker, we take it all the same.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    code = run(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # taking the interpreter apart would cost another 10 ms


def run(words: Sequence[str]) -> int:
    """Run one command line, and give its exit code; all that it wrote is out."""
    try:
        code = _told(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return BROKEN_PIPE
    return code


def _told(words: Sequence[str]) -> int:
    """Run one command line; what goes wrong is told, and becomes an exit code."""
    try:
        return _invoke(words)
    except BrokenPipeError:
        raise
    except CntnrError as error:
        return _tell(str(error), error.hint, error.exit_code)
    except click.ClickException as error:
        from cntnr_compose.cli.usage import sentence

        return _tell(*sentence(error), 1)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("CNTNR_DEBUG") == "1":
            raise
        what = f"internal error: {type(error).__name__}: {error}"
        return _tell(f"{what} (this is a bug; run again with CNTNR_DEBUG=1)", "", BUG)


def _invoke(words: Sequence[str]) -> int:
    try:
        with cntnr.make_context("cntnr", list(words)) as context:
            code = cntnr.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())  # the help text
        return 0
    return code if isinstance(code, int) else 0


def _tell(sentence: str, hint: str, code: int) -> int:
    click.echo(f"error: {sentence}" if code != BUG else sentence, err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)
    return code
