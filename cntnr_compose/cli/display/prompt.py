"""Ask a question on the terminal."""

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
