"""Reads what containers wrote, from the files that conmon keeps: history, and what comes.

A line of such a file is ``2026-11-23T17:08:10.246666905+00:00 stdout F text``; P instead of F says
that the text goes on in the next line of the same stream.
"""

import contextlib
import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from cntnr_compose.core.values import Value

BLOCK = 1 << 16
TAG = 43  # where F or P stands: behind a time of 35 letters and the stream's name of 6
WHOLE = b"F"
Moment = tuple[int, bytes]  # seconds since the epoch, and nanoseconds as nine digits


class Line(Value, frozen=True, kw_only=True):
    """A line that a container wrote, without its end."""

    source: str  # the container's id
    moment: Moment
    stream: str  # stdout, stderr
    text: bytes

    @property
    def stamp(self) -> str:
        """Give the time as docker writes it: ``2026-11-23T17:08:10.246666905Z``."""
        import time

        seconds, nanos = self.moment
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanos.decode()}Z"


class Span(Value, frozen=True, kw_only=True):
    """Which lines are wanted: the last ``tail`` of those between two times."""

    tail: int | None = None
    since: int | None = None  # nanoseconds since the epoch
    until: int | None = None

    def holds(self, moment: Moment) -> bool:
        """Tell whether a line of this time is wanted."""
        return (self.since is None or moment >= as_moment(self.since)) and (
            self.until is None or moment <= as_moment(self.until)
        )


class Log:
    """The log of one container; it may be absent, grow, or begin anew when it is too long."""

    def __init__(self, path: Path, source: str) -> None:
        self._path = path
        self._source = source
        self._file: BinaryIO | None = None
        self._rest = b""
        self._parts: dict[bytes, tuple[Moment, bytes]] = {}
        self._second, self._epoch = b"", 0

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def history(self, span: Span) -> Iterator[Line]:
        """Give what there is, also in files put aside; `more` goes on from there."""
        lines = self._entries()
        older = self._put_aside()
        if span.tail is not None and span.since is None and span.until is None:
            enough = self._seek_tail(span.tail)
            older = [] if enough else older
        if older:
            lines = itertools.chain(self._entries_of(older), lines)
        if span.since is not None or span.until is not None:
            lines = (line for line in lines if span.holds(line.moment))
        return lines if span.tail is None else iter(deque(lines, maxlen=span.tail))

    def more(self) -> list[Line]:
        """Give what came since, also where the file began anew meanwhile."""
        lines = list(self._entries())
        if not lines and self._began_anew():
            self.close()
            self._rest = b""
            lines = list(self._entries())
        return lines

    def ending(self) -> list[Line]:
        """Give the last lines, which nothing ended: what the container wrote is whole now."""
        lines = self.more()
        for stream, (moment, text) in self._parts.items():
            lines.append(self._line(moment, stream, text))
        self._parts.clear()
        return lines

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

    def _seek_tail(self, wanted: int) -> bool:
        """Go to where the last ``wanted`` lines begin, reading from the end; tell if all are there."""
        file = self._open()
        if file is None:
            return False
        place = file.seek(0, os.SEEK_END)
        tail = b""
        while place > 0:
            step = min(BLOCK, place)
            place -= step
            file.seek(place)
            tail = file.read(step) + tail
            # The first entry may be cut, and parts before a whole line belong to it.
            if sum(one[TAG : TAG + 1] == WHOLE for one in tail.split(b"\n")[1:]) > wanted:
                file.seek(place + tail.index(b"\n") + 1)
                return True
        file.seek(0)
        return False

    def _entries(self) -> Iterator[Line]:
        file = self._open()
        if file is None:
            return
        while block := file.read(BLOCK):
            *whole, self._rest = (self._rest + block).split(b"\n")
            for entry in whole:
                line = self._read(entry)
                if line is not None:
                    yield line

    def _entries_of(self, older: list[Path]) -> Iterator[Line]:
        for path in older:
            with contextlib.suppress(OSError), path.open("rb") as file:
                for entry in file:
                    line = self._read(entry.rstrip(b"\n"))
                    if line is not None:
                        yield line

    def _read(self, entry: bytes) -> Line | None:
        head, tag, text = entry[:TAG], entry[TAG : TAG + 1], entry[TAG + 2 :]
        stamp, _, stream = head.strip().partition(b" ")
        moment = self._moment(stamp)
        if moment is None:
            return None  # a file that was damaged, or is not conmon's
        if stream in self._parts:
            moment, before = self._parts.pop(stream)
            text = before + text
        if tag != WHOLE:
            self._parts[stream] = (moment, text)
            return None
        return self._line(moment, stream, text)

    def _line(self, moment: Moment, stream: bytes, text: bytes) -> Line:
        return Line(source=self._source, moment=moment, stream=stream.decode(), text=text)

    def _moment(self, stamp: bytes) -> Moment | None:
        second = stamp[:19] + stamp[29:]
        if second != self._second:  # neighbours are of the same second, mostly
            from datetime import datetime

            try:
                self._epoch = int(datetime.fromisoformat(second.decode("ascii")).timestamp())
            except ValueError:
                return None
            self._second = second
        return self._epoch, stamp[20:29]


def merged(logs: Iterable[Iterator[Line]]) -> Iterator[Line]:
    """Give the lines of several logs in the order of their times."""
    import heapq

    return heapq.merge(*logs, key=_when)


def as_moment(nanoseconds: int) -> Moment:
    """Turn nanoseconds since the epoch into what lines carry."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return seconds, f"{rest:09}".encode()


def _when(line: Line) -> Moment:
    return line.moment
