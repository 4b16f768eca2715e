"""Bound the output of programs that are run in containers: health checks and hooks."""

import codecs
from collections.abc import Callable

from cntnr_compose.core.values import Bytes

MAX_LINE_LENGTH = 16 << 10  # characters; docker's limit for an entry of a log, too
MAX_HOOK_OUTPUT: Bytes = 1 << 20
MAX_TAIL_SIZE: Bytes = 1 << 10
TAIL_LINES = 3


class TruncatedOutput:
    """Keep the beginning of a program's output, as docker does for health checks."""

    def __init__(self, max_size: Bytes) -> None:
        self._max_size, self._kept, self._is_truncated = max_size, b"", False

    def feed(self, block: bytes) -> None:
        """Add a block of output."""
        room = self._max_size - len(self._kept)
        self._kept += block[:room]
        self._is_truncated = self._is_truncated or len(block) > room

    @property
    def text(self) -> str:
        """The output as text, with dots where it was truncated."""
        return self._kept.decode(errors="replace") + ("..." if self._is_truncated else "")


class OutputTail:
    """Keep the end of a program's output, for an error."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, block: bytes) -> None:
        """Add a block of output."""
        self._kept = (self._kept + block[-MAX_TAIL_SIZE:])[-MAX_TAIL_SIZE:]

    @property
    def text(self) -> str:
        """The last lines that are not blank, as one line without control characters."""
        lines = (
            "".join(letter for letter in line if letter.isprintable()).strip()
            for line in self._kept.decode(errors="replace").splitlines()
        )
        return " / ".join([line for line in lines if line][-TAIL_LINES:])


class OutputLines:
    """Split a program's output into lines and emit them; stop with a notice after `MAX_HOOK_OUTPUT`."""

    def __init__(self, emit: Callable[[str], None]) -> None:
        self._emit = emit
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._line = ""
        self._remaining = MAX_HOOK_OUTPUT

    def feed(self, block: bytes) -> None:
        """Add a block of output."""
        if self._remaining < 0:
            return
        part, self._remaining = block[: self._remaining], self._remaining - len(block)
        self._add(self._decoder.decode(part))
        if self._remaining < 0:
            self.flush()
            self._emit("(what it writes from here on is not shown)")

    def flush(self) -> None:
        """Emit the last line, if it has no end."""
        if self._line:
            self._emit(self._line)
        self._line = ""

    def _add(self, text: str) -> None:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._emit_pieces(line.removesuffix("\r"))
        while len(self._line) > MAX_LINE_LENGTH:
            self._emit(self._line[:MAX_LINE_LENGTH])
            self._line = self._line[MAX_LINE_LENGTH:]

    def _emit_pieces(self, line: str) -> None:
        for start in range(0, len(line) or 1, MAX_LINE_LENGTH):
            self._emit(line[start : start + MAX_LINE_LENGTH])
