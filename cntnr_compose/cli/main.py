"""The command `cntnr`: errors and signals turned into exit codes. Nothing else."""

import os
import sys

# Not typing's own: until main() has taken SIGINT, a Ctrl-C in a slow import would print a traceback.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

INTERRUPTED = 130
BROKEN_PIPE = 141  # as a shell reports a program that SIGPIPE ended
BUG = 70


def main() -> "NoReturn":
    """Run the command line of this process, and end it."""
    from cntnr_compose.cli import signals as interrupts

    try:
        interrupts.install_handlers()
        code = _main()
    except KeyboardInterrupt:  # before there is anything to end, or a second one
        code = INTERRUPTED
    os._exit(code)  # taking the interpreter apart would cost another 10 ms


def _main() -> int:
    import contextlib
    import gc

    from cntnr_compose.cli import signals as interrupts

    # A short life makes little garbage; looking for it costs a twentieth of the start.
    gc.set_threshold(100_000)
    _open_streams()
    interrupts.wake_blocking_calls()
    code = run(sys.argv[1:])
    with contextlib.suppress(OSError):  # nobody is left to tell
        sys.stderr.flush()
    return code


def _open_streams() -> None:
    """Have the three streams that every program expects; one that was closed is /dev/null."""
    import io

    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # It takes the lowest number that is free, lest a file of ours does, and is written to.
            stream = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(stream, "w" if number else "r"))
    for out in (sys.stdout, sys.stderr):
        if isinstance(out, io.TextIOWrapper):
            # As docker: UTF-8 whatever the locale says, and what was no UTF-8 in a variable as it was.
            out.reconfigure(encoding="utf-8", errors="surrogateescape")


def run(words: "Sequence[str]") -> int:
    """Run one command line, and give its exit code; all that it wrote is out."""
    try:
        return _told(words)
    except BrokenPipeError:
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if isinstance(error.__cause__, KeyboardInterrupt):  # Python 3.11 says so of one in a class
            return INTERRUPTED
        if os.environ.get("CNTNR_DEBUG") == "1":
            raise
        what = f"internal error: {type(error).__name__}: {error}"
        return _tell(f"{what} (this is a bug; run again with CNTNR_DEBUG=1)", "", BUG)


def _told(words: "Sequence[str]") -> int:
    """Run one command line; mistakes that a user can mend are told, and become an exit code."""
    from cntnr_compose.cli.display import stdout as out
    from cntnr_compose.core.errors import CntnrError

    try:
        code = _invoke(words)
        out.flush()
    except CntnrError as error:
        return _tell(f"error: {error}", error.hint, error.exit_code)
    return code


def _invoke(words: "Sequence[str]") -> int:
    from cntnr_compose.cli.parser import fast_parser as line

    plain = line.parse(words)
    if plain is None:
        from cntnr_compose.cli.parser import click_groups as root

        return root.run_with_click(words)
    verb, before, given = plain
    return verb.run(before, given)


def _tell(sentence: str, hint: str, code: int) -> int:
    import contextlib

    with contextlib.suppress(OSError):
        sys.stdout.flush()  # what came before the error stands before it
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{sentence}\n" + (f"hint: {hint}\n" if hint else ""))
    return code
