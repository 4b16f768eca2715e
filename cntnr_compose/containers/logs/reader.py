"""Reads what containers wrote, from the files that conmon keeps: history, and what comes.

A line of such a file is ``2026-11-23T17:08:10.246666905+00:00 stdout F text``; P instead of F says
that the text goes on in the next line of the same stream. Lines of containers may have any length, so what
is very long is given in pieces, and never held as a whole.
"""

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from cntnr_compose.core.values import Value, replace

BLOCK_SIZE = 1 << 16
PIECE_SIZE = 1 << 16  # a line that is longer comes in pieces of about this length
MAX_ENTRY_SIZE = 1 << 20  # in the file; conmon's are 8 KiB
MAX_READ_SIZE = 1 << 20  # that is read of what came since
TAG_OFFSET = 43  # where F or P stands: behind a time of 35 letters and the stream's name of 6
FULL_TAG = b"F"
Timestamp = tuple[int, bytes]  # seconds since the epoch, and nanoseconds as nine digits


class LogLine(Value, frozen=True, kw_only=True):
    """A line that a container wrote, without its end; or a piece of one that is very long."""

    container_id: str  # the container's id
    timestamp: Timestamp  # when it began
    stream: str  # stdout, stderr
    text: bytes
    is_first_piece: bool = True
    is_last_piece: bool = True

    @property
    def rfc3339(self) -> str:
        """Give the time as docker writes it: ``2026-11-23T17:08:10.246666905Z``."""
        import time

        seconds, nanos = self.timestamp
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanos.decode()}Z"


class LogRange(Value, frozen=True, kw_only=True):
    """Which lines are wanted: the last ``tail`` of those between two times."""

    tail: int | None = None
    since: int | None = None  # nanoseconds since the epoch
    until: int | None = None

    def contains(self, moment: Timestamp) -> bool:
        """Tell whether a line of this time is wanted."""
        return (self.since is None or moment >= to_timestamp(self.since)) and (
            self.until is None or moment <= to_timestamp(self.until)
        )


class _PartialLine:
    """A line of which the end has not come."""

    def __init__(self, moment: Timestamp) -> None:
        self.moment = moment
        self.parts: list[bytes] = []
        self.length = 0
        self.is_shown = False  # a piece of it was given

    def add(self, text: bytes) -> None:
        self.parts.append(text)
        self.length += len(text)


class LogFile:
    """The log of one container; it may be absent, grow, or begin anew when it is too long."""

    def __init__(self, path: Path, source: str) -> None:
        self._path = path
        self._source = source
        self._file: BinaryIO | None = None
        self._rest = b""
        self._begun: dict[bytes, _PartialLine] = {}
        self.bytes_read = 0  # bytes that were read
        self._second, self._epoch = b"", 0

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def read_history(self, span: LogRange) -> Iterator[LogLine]:
        """Give what there is, also in files put aside; `more` goes on from there."""
        older = self._put_aside()
        if span.tail is None:
            lines = itertools.chain(self._entries_of(older), self._entries())
            return (line for line in lines if span.contains(line.timestamp))
        if span.until is None:
            older, left_out = self._tail(older, span.tail)
            lines = itertools.chain(self._entries_of(older), self._entries())
            last = _without_first(lines, left_out)
            return (line for line in last if span.contains(line.timestamp))
        whole = replace(span, tail=None)
        with contextlib.closing(LogFile(self._path, self._source)) as first:
            found = sum(line.is_last_piece for line in first.read_history(whole))
        return _without_first(self.read_history(whole), found - span.tail)

    def read_new(self) -> list[LogLine]:
        """Give some of what came since, also where the file began anew meanwhile."""
        lines = list(self._entries(MAX_READ_SIZE))
        if not lines and self._began_anew():
            self.close()
            self._rest = b""
            lines = list(self._entries(MAX_READ_SIZE))
        return lines

    def read_last(self) -> list[LogLine]:
        """Give the last lines, which nothing ended: what the container wrote is whole now."""
        lines = self.read_new()
        for stream, begun in self._begun.items():
            lines.append(self._line(stream, begun, ends=True))
        self._begun.clear()
        return lines

    def count_unread(self) -> int:
        """Count the bytes that `more` has not read yet."""
        file = self._open()
        return 0 if file is None else max(0, os.fstat(file.fileno()).st_size - file.tell())

    def _open(self) -> BinaryIO | None:
        if self._file is None:
            with contextlib.suppress(OSError):
                self._file = self._path.open("rb")
        return self._file

    def _began_anew(self) -> bool:
        if self._file is None:
            return False
        try:
            now = self._path.stat()
        except OSError:
            return False
        mine = os.fstat(self._file.fileno())
        return now.st_ino != mine.st_ino or now.st_size < self._file.tell()

    def _put_aside(self) -> list[Path]:
        """List what was put aside when the log grew too large, oldest first."""
        found: list[Path] = []
        for number in itertools.count(1):
            path = self._path.with_name(f"{self._path.name}.{number}")
            if not path.exists():
                return found[::-1]
            if not self._is_log(path):
                found.append(path)
        raise AssertionError

    def _is_log(self, path: Path) -> bool:
        """Tell whether a file put aside is but a second name of the log itself."""
        try:
            return path.samefile(self._path)
        except OSError:
            return False

    def _tail(self, older: list[Path], wanted: int) -> tuple[list[Path], int]:
        """Go to where the last ``wanted`` lines begin, or before; tell what is to be left out.

        Gives the files to be read first, and the number of lines too many.
        """
        file = self._open()
        found = 0 if file is None else _seek_back(file, wanted)
        needed: list[Path] = []
        while found <= wanted and older:
            needed.insert(0, older.pop())
            with contextlib.suppress(OSError), needed[0].open("rb") as aside:
                found += sum(_count(block) for block in _entries_in(aside))
        return needed, found - wanted

    def _entries(self, most: int | None = None) -> Iterator[LogLine]:
        """Give what is in the file from here on, at least ``most`` bytes where there are so many."""
        file = self._open()
        end = None if most is None else self.bytes_read + most
        while file is not None and (end is None or self.bytes_read < end):
            block = file.read(BLOCK_SIZE)
            if not block:
                return
            self.bytes_read += len(block)
            *whole, self._rest = (self._rest + block).split(b"\n")
            if len(self._rest) > MAX_ENTRY_SIZE:
                self._rest = b""  # nothing of conmon's
            yield from self._lines(whole)

    def _entries_of(self, older: list[Path]) -> Iterator[LogLine]:
        for path in older:
            with contextlib.suppress(OSError), path.open("rb") as file:
                for entries in _entries_in(file):
                    yield from self._lines(entries)

    def _lines(self, entries: Iterable[bytes]) -> Iterator[LogLine]:
        for entry in entries:
            line = self._read(entry)
            if line is not None:
                yield line

    def _read(self, entry: bytes) -> LogLine | None:
        head, tag, text = (
            entry[:TAG_OFFSET],
            entry[TAG_OFFSET : TAG_OFFSET + 1],
            entry[TAG_OFFSET + 2 :],
        )
        stamp, _, stream = head.strip().partition(b" ")
        moment = self._moment(stamp)
        if moment is None:
            return None  # a file that was damaged, or is not conmon's
        begun = self._begun.get(stream)
        if begun is None:
            if tag == FULL_TAG:
                return LogLine(
                    container_id=self._source, timestamp=moment, stream=stream.decode(), text=text
                )
            begun = self._begun[stream] = _PartialLine(moment)
        begun.add(text)
        if tag == FULL_TAG:
            del self._begun[stream]
        elif begun.length < PIECE_SIZE:
            return None
        return self._line(stream, begun, ends=tag == FULL_TAG)

    def _line(self, stream: bytes, begun: _PartialLine, *, ends: bool) -> LogLine:
        line = LogLine(
            container_id=self._source,
            timestamp=begun.moment,
            stream=stream.decode(),
            text=b"".join(begun.parts),
            is_first_piece=not begun.is_shown,
            is_last_piece=ends,
        )
        begun.parts, begun.length, begun.is_shown = [], 0, True
        return line

    def _moment(self, stamp: bytes) -> Timestamp | None:
        second = stamp[:19] + stamp[29:]
        if second != self._second:  # neighbours are of the same second, mostly
            from datetime import datetime

            try:
                self._epoch = int(datetime.fromisoformat(second.decode("ascii")).timestamp())
            except ValueError:
                return None
            self._second = second
        return self._epoch, stamp[20:29]


def _seek_back(file: BinaryIO, wanted: int) -> int:
    """Go back from the end of a file by at least ``wanted`` lines, if there are so many.

    Gives how many lines end behind that place. Parts of lines before it are left out.
    """
    place = file.seek(0, os.SEEK_END)
    found, rest = 0, b""
    while place > 0:
        step = min(BLOCK_SIZE, place)
        place -= step
        file.seek(place)
        block = file.read(step)
        first, *entries = (block + rest).split(b"\n")
        found += _count(entries)
        if found > wanted:
            file.seek(place + len(first) + 1)
            return found
        rest = first[:MAX_ENTRY_SIZE]
    file.seek(0)
    return found + _count([rest])


def _count(entries: Iterable[bytes]) -> int:
    """Count the lines that end in some entries of a file."""
    return sum(entry[TAG_OFFSET : TAG_OFFSET + 1] == FULL_TAG for entry in entries)


def _entries_in(file: BinaryIO) -> Iterator[list[bytes]]:
    """Read a file that nobody writes to any more, block by block."""
    rest = b""
    while block := file.read(BLOCK_SIZE):
        *whole, rest = (rest + block).split(b"\n")
        rest = b"" if len(rest) > MAX_ENTRY_SIZE else rest
        yield whole
    yield [rest]


def _without_first(lines: Iterable[LogLine], number: int) -> Iterator[LogLine]:
    """Leave the first lines out, with all pieces of them."""
    for line in lines:
        if number <= 0:
            yield line
        elif line.is_last_piece:
            number -= 1


def merge_logs(logs: Iterable[Iterator[LogLine]]) -> Iterator[LogLine]:
    """Give the lines of several logs in the order of their times."""
    import heapq

    return heapq.merge(*logs, key=_when)


def to_timestamp(nanoseconds: int) -> Timestamp:
    """Turn nanoseconds since the epoch into what lines carry."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return seconds, f"{rest:09}".encode()


def _when(line: LogLine) -> Timestamp:
    return line.timestamp
