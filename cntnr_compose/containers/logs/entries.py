"""Parse the log files that conmon writes (its k8s-file format).

An entry is a line ``2026-11-23T17:08:10.246666905+00:00 stdout F text``; P instead of F means that the text
goes on in the next entry of the same stream. Lines of containers may have any length, so very long ones are
returned in pieces, and never held as a whole.
"""

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from cntnr_compose.containers.logs.lines import LogLine, Timestamp

BLOCK_SIZE = 1 << 16
PIECE_SIZE = 1 << 16  # a line that is longer comes in pieces of about this length
MAX_ENTRY_SIZE = 1 << 20  # conmon's entries are 8 KiB
TAG_OFFSET = 43  # of F or P: behind a time of 35 letters and the stream's name of 6
FULL_TAG = b"F"
PARTIAL_TAG = b"P"


class _PartialLine:
    """A line whose end has not come yet."""

    def __init__(self, timestamp: Timestamp) -> None:
        self.timestamp = timestamp
        self.parts: list[bytes] = []
        self.length = 0
        self.has_pieces = False  # a piece of it was returned already

    def add(self, text: bytes) -> None:
        self.parts.append(text)
        self.length += len(text)


class EntryParser:
    """Join the entries of one container's log to lines."""

    def __init__(self, container_id: str) -> None:
        self._container_id = container_id
        self._partial_lines: dict[bytes, _PartialLine] = {}  # by stream
        self._second, self._epoch = b"", 0

    def parse(self, entries: Iterable[bytes]) -> Iterator[LogLine]:
        """Return the lines that are complete with these entries, and pieces of very long ones."""
        for entry in entries:
            line = self._parse_entry(entry)
            if line is not None:
                yield line

    def flush(self) -> list[LogLine]:
        """Return the lines that have no end, as if they had one."""
        lines = [
            self._make_line(stream, partial, is_last=True)
            for stream, partial in self._partial_lines.items()
        ]
        self._partial_lines.clear()
        return lines

    def _parse_entry(self, entry: bytes) -> LogLine | None:
        tag, text = entry[TAG_OFFSET : TAG_OFFSET + 1], entry[TAG_OFFSET + 2 :]
        time, _, stream = entry[:TAG_OFFSET].strip().partition(b" ")
        timestamp = self._parse_time(time)
        if timestamp is None:
            return None  # the file is damaged, or not conmon's
        partial = self._partial_lines.get(stream)
        if partial is None:
            if tag == FULL_TAG:
                return LogLine(
                    container_id=self._container_id,
                    timestamp=timestamp,
                    stream=stream.decode(),
                    text=text,
                )
            partial = self._partial_lines[stream] = _PartialLine(timestamp)
        partial.add(text)
        if tag == FULL_TAG:
            del self._partial_lines[stream]
        elif partial.length < PIECE_SIZE:
            return None
        return self._make_line(stream, partial, is_last=tag == FULL_TAG)

    def _make_line(self, stream: bytes, partial: _PartialLine, *, is_last: bool) -> LogLine:
        line = LogLine(
            container_id=self._container_id,
            timestamp=partial.timestamp,
            stream=stream.decode(),
            text=b"".join(partial.parts),
            is_first_piece=not partial.has_pieces,
            is_last_piece=is_last,
        )
        partial.parts, partial.length, partial.has_pieces = [], 0, True
        return line

    def _parse_time(self, time: bytes) -> Timestamp | None:
        second = time[:19] + time[29:]
        if second != self._second:  # neighbours are of the same second, mostly
            from datetime import datetime

            try:
                self._epoch = int(datetime.fromisoformat(second.decode("ascii")).timestamp())
            except ValueError:
                return None
            self._second = second
        return self._epoch, time[20:29]


def count_lines(entries: Iterable[bytes]) -> int:
    """Count the lines that end in some entries."""
    return sum(entry[TAG_OFFSET : TAG_OFFSET + 1] == FULL_TAG for entry in entries)


def read_entries(file: BinaryIO) -> Iterator[list[bytes]]:
    """Read a file that is not written to any more, block by block."""
    rest = b""
    while block := file.read(BLOCK_SIZE):
        *entries, rest = (rest + block).split(b"\n")
        rest = b"" if len(rest) > MAX_ENTRY_SIZE else rest
        yield entries
    yield [rest]


def seek_back(file: BinaryIO, line_count: int) -> int:
    """Go back from the end of a file by at least ``line_count`` lines, if there are so many.

    Returns how many lines end behind that position, parts of an earlier line not counted.
    """
    position = file.seek(0, os.SEEK_END)
    lines_behind, rest = 0, b""
    while position > 0:
        step = min(BLOCK_SIZE, position)
        position -= step
        file.seek(position)
        block = file.read(step)
        first, *entries = (block + rest).split(b"\n")
        lines_behind += count_lines(entries)
        if lines_behind > line_count:
            file.seek(position + len(first) + 1)
            return lines_behind
        rest = first[:MAX_ENTRY_SIZE]
    file.seek(0)
    return lines_behind + count_lines([rest])
