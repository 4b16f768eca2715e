"""What is made of the output of programs in containers, however much it is."""

import codecs
from collections.abc import Callable

from cntnr_compose.core.values import Bytes

MAX_LINE_LENGTH = 16 << 10  # letters; docker's limit for an entry of a log, too
MAX_HOOK_OUTPUT: Bytes = 1 << 20  # that is told of a hook


class TruncatedOutput:
    """Keeps the beginning of what a program writes, as docker does of a health check."""

    def __init__(self, max_size: Bytes) -> None:
        self._most, self._kept, self._cut = max_size, b"", False

    def feed(self, block: bytes) -> None:
        """Take some more."""
        room = self._most - len(self._kept)
        self._kept += block[:room]
        self._cut = self._cut or len(block) > room

    @property
    def text(self) -> str:
        """Give it as text; dots tell that there was more."""
        return self._kept.decode(errors="replace") + ("..." if self._cut else "")


class OutputLines:
    """Tells the lines that a program writes as they come; after a lot, that there is more."""

    def __init__(self, emit: Callable[[str], None]) -> None:
        self._tell = emit
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._line = ""
        self._left = MAX_HOOK_OUTPUT

    def feed(self, block: bytes) -> None:
        """Take some more."""
        if self._left < 0:
            return
        part, self._left = block[: self._left], self._left - len(block)
        self._add(self._decoder.decode(part))
        if self._left < 0:
            self.flush()
            self._tell("(what it writes from here on is not shown)")

    def flush(self) -> None:
        """Tell the last line, which nothing ended."""
        if self._line:
            self._tell(self._line)
        self._line = ""

    def _add(self, text: str) -> None:
        *whole, self._line = (self._line + text).split("\n")
        for line in whole:
            self._tell_in_pieces(line.removesuffix("\r"))
        while len(self._line) > MAX_LINE_LENGTH:
            self._tell(self._line[:MAX_LINE_LENGTH])
            self._line = self._line[MAX_LINE_LENGTH:]

    def _tell_in_pieces(self, line: str) -> None:
        for start in range(0, len(line) or 1, MAX_LINE_LENGTH):
            self._tell(line[start : start + MAX_LINE_LENGTH])
