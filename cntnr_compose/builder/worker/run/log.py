"""Turn the output of a RUN into lines to print: as many as docker prints, however many or long they are."""

import collections
import re
from collections.abc import Callable

PrintLine = Callable[[str], None]
OUTPUT_LIMIT = 2 << 20  # bytes of a step's output that are printed; BuildKit's default
# Bytes that a line counts for at least: printing it costs more than its few letters.
MIN_LINE_COST = 64
MAX_LINE_LENGTH = 16 << 10  # bytes; longer lines are printed in pieces
CLIPPED = "[output clipped, log limit 2MiB reached]"
LAST_LINES = 8
LAST_LENGTH = 1000  # characters of each of those, in the error of a failed step
# runc prints these on a failed start in a user namespace; they explain nothing.
IGNORED_MESSAGES = ("unable to get oom kill count",)
RUNC_MESSAGE = re.compile(
    r'time="[^"]*" level=\w+ msg="(?:runc run failed: )?(?:unable to start container process: )?(.*)"'
)


class StepLog:
    """Split the output of one step into lines, print them, and keep the last ones."""

    def __init__(self, print_line: PrintLine) -> None:
        self._print, self._room, self._rest = print_line, OUTPUT_LIMIT, b""
        self._last: collections.deque[str] = collections.deque(maxlen=LAST_LINES)

    def feed(self, part: bytes) -> None:
        """Process the next part of the output."""
        if self._room <= 0:  # of the rest only the end is needed
            self._rest = (self._rest + part)[-LAST_LINES * LAST_LENGTH :]
            return
        *lines, rest = (self._rest + part).split(b"\n")
        for line in lines:
            self._line(line)
        overwritten = rest.rfind(b"\r", 0, -1)  # a progress bar need not end its line
        rest = rest[overwritten + 1 :]
        while len(rest) > MAX_LINE_LENGTH:
            self._line(rest[:MAX_LINE_LENGTH])
            rest = rest[MAX_LINE_LENGTH:]
        self._rest = rest

    def finish(self) -> list[str]:
        """Process the end of the output; return the last lines, shortened."""
        for line in self._rest.removesuffix(b"\n").split(b"\n") if self._rest else ():
            self._line(line)
        return list(self._last)

    def _line(self, line: bytes) -> None:
        for start in range(0, max(len(line), 1), MAX_LINE_LENGTH):
            text = clean_line(line[start : start + MAX_LINE_LENGTH].decode(errors="replace"))
            if text is not None:
                self._last.append(text[-LAST_LENGTH:])
                self._show(text, len(line))

    def _show(self, text: str, size: int) -> None:
        if self._room > 0:
            self._print(text)
            self._room -= max(min(size, MAX_LINE_LENGTH), MIN_LINE_COST)
            if self._room <= 0:
                self._print(CLIPPED)


def clean_line(line: str) -> str | None:
    """Return the visible text of a line: the end of a progress bar, the cause in a message of runc."""
    text = line.rstrip("\r").rpartition("\r")[2]
    if any(noise in text for noise in IGNORED_MESSAGES):
        return None
    match = RUNC_MESSAGE.fullmatch(text)
    return match.group(1).replace('\\"', '"') if match else text
