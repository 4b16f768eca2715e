"""Writes what containers wrote, as docker does: a prefix for each, colours, two streams kept apart."""

import sys
from collections.abc import Iterable
from typing import BinaryIO

from cntnr_compose.containers.logs.lines import LogLine
from cntnr_compose.model.observed import Record

# cyan, yellow, green, magenta, blue; then the same, brighter
COLOURS = [f"{code}{bright}" for bright in ("", ";1") for code in (36, 33, 32, 35, 34)]
ERASE_LINE = "\r\x1b[K"


def short_name(record: Record) -> str:
    """Give a container's name without the project's, unless the user chose the name."""
    return (
        record.name if record.definition.container_name else _without(record.project, record.name)
    )


def _without(project: str, name: str) -> str:
    for separator in "-_":
        if name.startswith(project + separator):
            return name[len(project) + 1 :]
    return name


class LogPrinter:
    """Writes lines of containers behind their names."""

    def __init__(
        self,
        *,
        coloured: bool = False,
        prefixes: bool = True,
        timestamps: bool = False,
        streams: tuple[BinaryIO, BinaryIO] | None = None,
    ) -> None:
        """Take how to write; ``streams`` are those for stdout and stderr."""
        self._coloured = coloured
        self._prefixes = prefixes
        self._timestamps = timestamps
        self._out, self._err = streams or (sys.stdout.buffer, sys.stderr.buffer)
        self._last: BinaryIO | None = None
        self._unended: dict[BinaryIO, str] = {}  # whose line is not whole yet
        self._names: dict[str, str] = {}
        self._colour: dict[str, str] = {}
        self._drawn: dict[str, bytes] = {}

    def add_containers(self, records: Iterable[Record]) -> None:
        """Take the names of containers, so that prefixes are equally wide."""
        for record in records:
            name = short_name(record)
            if self._names.get(record.id) != name:
                self._names[record.id] = name
                self._colour.setdefault(name, COLOURS[len(self._colour) % len(COLOURS)])
                self._drawn.clear()

    def print_lines(self, lines: Iterable[LogLine]) -> None:
        """Write lines, each to the stream that its container wrote it to.

        A line in pieces goes on where it was, unless somebody else's came in between.
        """
        for line in lines:
            out = self._err if line.stream == "stderr" else self._out
            if out is not self._last:
                self.flush()  # so that both keep their order where they are one terminal
                self._last = out
            written = line.text + b"\n" if line.is_last_piece else line.text
            if line.is_first_piece or self._unended.get(out) != line.container_id:
                self._end_line(out)
                stamp = f"{line.rfc3339} ".encode() if self._timestamps else b""
                written = self._prefix(line.container_id) + stamp + written
            out.write(written)
            if line.is_last_piece:
                self._unended.pop(out, None)
            else:
                self._unended[out] = line.container_id

    def _end_line(self, out: BinaryIO) -> None:
        if self._unended.pop(out, None) is not None:
            out.write(b"\n")

    def flush(self) -> None:
        """Write out what is buffered."""
        if self._last is not None:
            self._last.flush()

    def print_exit(self, record: Record, code: int) -> None:
        """Note that a container ended."""
        name = short_name(record)
        self.add_containers([record])
        self.print_message(f"{self._dyed(name, name)} exited with code {code}")

    def print_message(self, text: str) -> None:
        """Write a line of our own on stdout."""
        self.flush()
        self._last = self._out
        self._end_line(self._out)
        self._out.write(f"{ERASE_LINE if self._coloured else ''}{text}\n".encode())
        self.flush()

    def _prefix(self, identity: str) -> bytes:
        if not self._prefixes:
            return b""
        found = self._drawn.get(identity)
        if found is None:
            name = self._names.get(identity, identity[:12])
            width = max(map(len, self._names.values()), default=len(name)) + 1
            found = f"{self._dyed(name, f'{name:<{width}} |')} ".encode()
            self._drawn[identity] = found
        return found

    def _dyed(self, name: str, text: str) -> str:
        if not self._coloured:
            return text
        return f"\x1b[{self._colour.get(name, '36')}m{text}\x1b[0m"
