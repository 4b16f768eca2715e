"""What a verb answers, on standard output; it is out when these return."""

import sys


def write(text: str) -> None:
    """Write a text as it is."""
    sys.stdout.write(text)
    sys.stdout.flush()


def say(line: str) -> None:
    """Write a line."""
    write(line + "\n")
