"""Print log lines of containers as docker does: a prefix for each, in colours, to two streams."""

import sys
from collections.abc import Iterable
from typing import BinaryIO

from cntnr_compose.cli.display.stdout import explained
from cntnr_compose.containers.logs.lines import LogLine, Timestamp
from cntnr_compose.model.observed import Record

# Cyan, yellow, green, magenta, blue; then the same, brighter.
COLOURS = [f"{code}{bright}" for bright in ("", ";1") for code in (36, 33, 32, 35, 34)]
ERASE_LINE = "\r\x1b[K"


def short_name(record: Record) -> str:
    """Return a container's name without the project's, unless the user chose the name."""
    if record.definition.container_name:
        return record.name
    for separator in "-_":
        if record.name.startswith(record.project + separator):
            return record.name[len(record.project) + 1 :]
    return record.name


def format_timestamp(timestamp: Timestamp) -> str:
    """Format a time as docker does: ``2026-11-23T17:08:10.246666905Z``."""
    import time

    seconds, nanoseconds = timestamp
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanoseconds.decode()}Z"


class LogPrinter:
    """Print lines of containers behind their names."""

    def __init__(
        self,
        *,
        coloured: bool = False,
        prefixes: bool = True,
        timestamps: bool = False,
        details: str | None = None,
        streams: tuple[BinaryIO, BinaryIO] | None = None,
    ) -> None:
        """Take the style; ``streams`` are those for stdout and stderr, ``details`` come before each line."""
        self._coloured = coloured
        self._prefixes = prefixes
        self._timestamps = timestamps
        self._details = b"" if details is None else f"{details} ".encode()
        self._out, self._err = streams or (sys.stdout.buffer, sys.stderr.buffer)
        self._last: BinaryIO | None = None
        self._open_lines: dict[BinaryIO, str] = {}  # stream: source of a line without end yet
        self._names: dict[str, str] = {}
        self._colours: dict[str, str] = {}
        self._prefix_of: dict[str, bytes] = {}

    def add_containers(self, records: Iterable[Record]) -> None:
        """Add names of containers, so that all prefixes have the same width."""
        for record in records:
            name = short_name(record)
            if self._names.get(record.id) != name:
                self._names[record.id] = name
                self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
                self._prefix_of.clear()

    def print_lines(self, lines: Iterable[LogLine]) -> None:
        """Print lines, each to the stream that its container wrote it to. Raises `NotWritten`.

        A line that comes in pieces is continued, unless another container's came in between.
        """
        for line in lines:
            out = self._err if line.stream == "stderr" else self._out
            if out is not self._last:
                self.flush()  # both may be one terminal, where their order counts
                self._last = out
            text = line.text + b"\n" if line.is_last_piece else line.text
            if line.is_first_piece or self._open_lines.get(out) != line.container_id:
                self._end_line(out)
                stamp = f"{format_timestamp(line.timestamp)} ".encode() if self._timestamps else b""
                text = self._prefix(line.container_id) + stamp + self._details + text
            with explained():
                out.write(text)
            if line.is_last_piece:
                self._open_lines.pop(out, None)
            else:
                self._open_lines[out] = line.container_id

    def _end_line(self, out: BinaryIO) -> None:
        if self._open_lines.pop(out, None) is not None:
            with explained():
                out.write(b"\n")

    def flush(self) -> None:
        """Flush the stream that was last written to."""
        if self._last is not None:
            with explained():
                self._last.flush()

    def print_exit(self, record: Record, code: int) -> None:
        """Print that a container exited."""
        name = short_name(record)
        self.add_containers([record])
        self.print_message(f"{self._colour_text(name, name)} exited with code {code}")

    def print_message(self, text: str) -> None:
        """Print a line of our own on stdout."""
        self.flush()
        self._last = self._out
        self._end_line(self._out)
        with explained():
            self._out.write(f"{ERASE_LINE if self._coloured else ''}{text}\n".encode())
        self.flush()

    def print_watch(self, text: str) -> None:
        """Print a message about watched files."""
        width = max(map(len, self._names.values()), default=0) + 1
        prefix = " " * width + " ⦿ " if self._prefixes else ""
        self.print_message((f"\x1b[92m{prefix}\x1b[0m" if self._coloured else prefix) + text)

    @property
    def has_open_line(self) -> bool:
        """Tell whether a container has written a part of a line."""
        return bool(self._open_lines)

    def _prefix(self, identity: str) -> bytes:
        if not self._prefixes:
            return b""
        prefix = self._prefix_of.get(identity)
        if prefix is None:
            name = self._names.get(identity, identity[:12])
            width = max(map(len, self._names.values()), default=len(name)) + 1
            prefix = f"{self._colour_text(name, f'{name:<{width}} |')} ".encode()
            self._prefix_of[identity] = prefix
        return prefix

    def _colour_text(self, name: str, text: str) -> str:
        if not self._coloured:
            return text
        return f"\x1b[{self._colours.get(name, '36')}m{text}\x1b[0m"
