"""Read the logs of containers from the files that conmon writes: what is there, and what is appended."""

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from cntnr_compose.containers.logs import entries as log_entries
from cntnr_compose.containers.logs.entries import BLOCK_SIZE, MAX_ENTRY_SIZE, EntryParser
from cntnr_compose.containers.logs.lines import LogLine, LogRange, skip_lines
from cntnr_compose.core.values import replace

MAX_READ_SIZE = 1 << 20  # that `LogFile.read_new` reads at once


class LogFile:
    """The log of one container; it may be absent, grow, or be truncated when it is too long."""

    def __init__(self, path: Path, container_id: str) -> None:
        self._path = path
        self._container_id = container_id
        self._file: BinaryIO | None = None
        self._rest = b""
        self._parser = EntryParser(container_id)
        self.bytes_read = 0

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def read_history(self, log_range: LogRange) -> Iterator[LogLine]:
        """Read what there is, rotated files included; `read_new` goes on from there."""
        rotated = self._rotated_files()
        if log_range.tail is None:
            lines = self._read_lines(rotated)
            return (line for line in lines if log_range.contains(line.timestamp))
        if log_range.until is None:
            rotated, surplus = self._seek_to_tail(rotated, log_range.tail)
            tail = skip_lines(self._read_lines(rotated), surplus)
            return (line for line in tail if log_range.contains(line.timestamp))
        whole = replace(log_range, tail=None)
        with contextlib.closing(LogFile(self._path, self._container_id)) as first:
            count = sum(line.is_last_piece for line in first.read_history(whole))
        return skip_lines(self.read_history(whole), count - log_range.tail)

    def read_new(self) -> list[LogLine]:
        """Read some of what was appended since, also where the file was truncated meanwhile."""
        lines = list(self._read_file(MAX_READ_SIZE))
        if not lines and self._is_truncated():
            self.close()
            self._rest = b""
            lines = list(self._read_file(MAX_READ_SIZE))
        return lines

    def read_last(self) -> list[LogLine]:
        """Read what is left once the container has ended, also lines without an end."""
        return self.read_new() + self._parser.flush()

    def count_unread(self) -> int:
        """Count the bytes that `read_new` has not read yet."""
        file = self._open()
        return 0 if file is None else max(0, os.fstat(file.fileno()).st_size - file.tell())

    def _open(self) -> BinaryIO | None:
        if self._file is None:
            with contextlib.suppress(OSError):
                self._file = self._path.open("rb")
        return self._file

    def _is_truncated(self) -> bool:
        if self._file is None:
            return False
        try:
            current = self._path.stat()
        except OSError:
            return False
        opened = os.fstat(self._file.fileno())
        return current.st_ino != opened.st_ino or current.st_size < self._file.tell()

    def _rotated_files(self) -> list[Path]:
        """List the files that the log was rotated to, oldest first."""
        rotated: list[Path] = []
        for number in itertools.count(1):
            path = self._path.with_name(f"{self._path.name}.{number}")
            if not path.exists():
                return rotated[::-1]
            if not self._is_log(path):
                rotated.append(path)
        raise AssertionError

    def _is_log(self, path: Path) -> bool:
        """Tell whether a rotated file is just a second name of the log itself."""
        try:
            return path.samefile(self._path)
        except OSError:
            return False

    def _seek_to_tail(self, rotated: list[Path], line_count: int) -> tuple[list[Path], int]:
        """Go to where the last ``line_count`` lines begin, or before.

        Returns the rotated files to be read first, and the number of lines to be skipped.
        """
        file = self._open()
        lines_behind = 0 if file is None else log_entries.seek_back(file, line_count)
        needed: list[Path] = []
        while lines_behind <= line_count and rotated:
            needed.insert(0, rotated.pop())
            with contextlib.suppress(OSError), needed[0].open("rb") as older:
                lines_behind += sum(map(log_entries.count_lines, log_entries.read_entries(older)))
        return needed, lines_behind - line_count

    def _read_lines(self, rotated: Iterable[Path]) -> Iterator[LogLine]:
        return itertools.chain(self._read_rotated(rotated), self._read_file())

    def _read_rotated(self, rotated: Iterable[Path]) -> Iterator[LogLine]:
        for path in rotated:
            with contextlib.suppress(OSError), path.open("rb") as file:
                for entries in log_entries.read_entries(file):
                    yield from self._parser.parse(entries)

    def _read_file(self, size: int | None = None) -> Iterator[LogLine]:
        """Read the file from here on, at least ``size`` bytes if there are so many."""
        file = self._open()
        end = None if size is None else self.bytes_read + size
        while file is not None and (end is None or self.bytes_read < end):
            block = file.read(BLOCK_SIZE)
            if not block:
                return
            self.bytes_read += len(block)
            *entries, self._rest = (self._rest + block).split(b"\n")
            if len(self._rest) > MAX_ENTRY_SIZE:
                self._rest = b""  # not written by conmon
            yield from self._parser.parse(entries)
