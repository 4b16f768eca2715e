"""Ask a question on the terminal, or of whoever writes to standard input."""

import sys

ANSWERS = {"y": True, "yes": True, "n": False, "no": False, "": False}


def confirm(question: str) -> bool:
    """Ask on standard error until a line is yes or no; an empty line means no.

    Raises `KeyboardInterrupt` at the end of standard input.
    """
    while True:
        sys.stderr.write(f"{question} [y/N] ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise KeyboardInterrupt
        answer = ANSWERS.get(line.strip().lower())
        if answer is not None:
            return answer
        sys.stderr.write("Error: invalid input\n")


def confirm_or_skip(question: str) -> bool:
    """Ask like `confirm` on a terminal; elsewhere read one line, whose absence means no.

    The question goes to standard output then, as docker compose has it.
    """
    if sys.stdin is None or sys.stdin.isatty():
        return sys.stdin is not None and confirm(question)
    sys.stdout.write(question)
    sys.stdout.flush()
    return ANSWERS.get(sys.stdin.readline().strip().lower(), False)
