"""Entry of the command `cntnr`: turn errors and signals into exit codes."""

import os
import sys

# Not typing's own: until main() handles SIGINT, a Ctrl-C in a slow import would print a traceback.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

INTERRUPTED = 130
BROKEN_PIPE = 141  # as a shell reports a program that SIGPIPE ended
BUG = 70


def main() -> "NoReturn":
    """Run the command line of this process and exit."""
    from cntnr_compose.cli import signals

    try:
        signals.install_handlers()
        code = _main()
    except KeyboardInterrupt:  # before anything is running, or a second one
        code = INTERRUPTED
    os._exit(code)  # finalizing the interpreter would take another 10 ms


def _main() -> int:
    import gc

    from cntnr_compose.cli import signals

    # A short process makes little garbage; collecting it takes a twentieth of the start.
    gc.set_threshold(100_000)
    _open_streams()
    signals.wake_blocking_calls()
    code = run(sys.argv[1:])
    try:  # noqa: SIM105 - contextlib takes 2 ms to import
        sys.stderr.flush()
    except OSError:
        pass  # nobody reads it any more
    return code


def _open_streams() -> None:
    """Open the standard streams that are closed, as /dev/null, and set their encoding."""
    import io

    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # It gets the lowest free descriptor, which else a file of ours would get.
            stream = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(stream, "w" if number else "r"))
    for out in (sys.stdout, sys.stderr):
        if isinstance(out, io.TextIOWrapper):
            # As docker: UTF-8 whatever the locale, and bytes of variables that are not UTF-8 unchanged.
            out.reconfigure(encoding="utf-8", errors="surrogateescape")


def run(words: "Sequence[str]") -> int:
    """Run one command line and return its exit code; all output is flushed."""
    try:
        return _run_command(words)
    except BrokenPipeError:
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if isinstance(error.__cause__, KeyboardInterrupt):  # Python 3.11 wraps one in a class body
            return INTERRUPTED
        if os.environ.get("CNTNR_DEBUG") == "1":
            raise
        what = f"internal error: {type(error).__name__}: {error}"
        return _print_error(f"{what} (this is a bug; run again with CNTNR_DEBUG=1)", "", BUG)


def _run_command(words: "Sequence[str]") -> int:
    """Run one command line; print errors that a user can fix and return their exit code."""
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.core.errors import CntnrError

    try:
        code = _dispatch(words)
        stdout.flush()
    except CntnrError as error:
        return _print_error(f"error: {error}", error.hint, error.exit_code)
    return code


def _dispatch(words: "Sequence[str]") -> int:
    from cntnr_compose.cli.parser import program_name
    from cntnr_compose.cli.quick import verbs

    words = program_name.command_line(sys.argv[0], words)
    code = verbs.run(words)
    if code is not None:
        return code
    from cntnr_compose.cli.parser.fast_parser import parse

    if words and words[0] in program_name.COMPLETE:
        return _propose_words(words)
    parsed = parse(words)
    if parsed is not None:
        return parsed.run()
    from cntnr_compose.cli.parser.click_parser import run_with_click

    return run_with_click(words)


def _propose_words(words: "Sequence[str]") -> int:
    """Answer to the shell in which TAB was pressed."""
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.cli.parser.completion import answer

    stdout.print_line(answer(words[1:], with_descriptions=not words[0].endswith("NoDesc")))
    return 0


def _print_error(sentence: str, hint: str, code: int) -> int:
    import contextlib

    with contextlib.suppress(OSError):
        sys.stdout.flush()  # output before the error stands before it
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{sentence}\n" + (f"hint: {hint}\n" if hint else ""))
    return code
