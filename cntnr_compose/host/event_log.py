"""Append values to a small file of JSON lines, and read them: whoever does something notes it there.

Networks and volumes come and go by supervisors, by commands, and by processes inside the holder; a file tells
`events` of all of them.
"""

import logging
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, TypeVar

from cntnr_compose.core import paths
from cntnr_compose.core.events import ResourceEvent
from cntnr_compose.core.values import Bytes, Value, from_json, to_json
from cntnr_compose.host import files

MAX_SIZE: Bytes = 64 << 10  # of a file of events; then another one is begun, and one before it kept
T = TypeVar("T", bound=Value)
log = logging.getLogger(__name__)


def append_value(path: Path, value: Value) -> Bytes:
    """Append a value as a line, at once; return the size of the file then. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # It ends the line before, which may have been broken off.
        os.write(descriptor, b"\n" + to_json(value) + b"\n")
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def parse_lines(text: bytes, kind: type[T]) -> list[T]:
    """Return the values of lines; one that is empty, broken off, or of another version is passed over."""
    values = []
    for line in text.splitlines():
        try:
            values.append(from_json(line, kind))
        except ValueError:
            continue
    return values


def note_resource_event(kind: str, action: str, identity: str, attributes: dict[str, str]) -> None:
    """Note an event of a network or a volume; a full disk keeps nobody from what is told of."""
    event = ResourceEvent(
        type=kind, action=action, time=time.time(), id=identity, attributes=attributes
    )
    path = paths.resource_events()
    try:
        if append_value(path, event) > MAX_SIZE:
            _begin_another(path)
    except OSError as error:
        log.warning("cannot note an event of %s %s: %s", kind, identity, error)


def _earlier(path: Path) -> Path:
    return path.with_suffix(".1")


def _begin_another(path: Path) -> None:
    """Put the file aside, unless somebody else does."""
    with files.file_lock(path.with_suffix(".lock"), wait=False) as is_ours:
        if is_ours and path.stat().st_size > MAX_SIZE:
            path.replace(_earlier(path))


class ResourceEventReader:
    """Reads the events of networks and volumes: those of before, then those that come."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def read_history(self) -> list[ResourceEvent]:
        """Read what was noted until now."""
        try:
            earlier = _earlier(paths.resource_events()).read_bytes()
        except OSError:
            earlier = b""
        return [*parse_lines(earlier[-2 * MAX_SIZE :], ResourceEvent), *self.read_new()]

    def read_new(self) -> list[ResourceEvent]:
        """Read what was noted since the last look."""
        events = list(self._read_rest())
        if self._is_put_aside():
            self.close()
            self._file = _open(paths.resource_events())
            events += self._read_rest()
        return events

    def _is_put_aside(self) -> bool:
        """Tell whether the file is not, or not any more, the one that events are noted in."""
        try:
            status = paths.resource_events().stat()
        except OSError:
            return False
        return self._file is None or os.fstat(self._file.fileno()).st_ino != status.st_ino

    def _read_rest(self) -> Iterable[ResourceEvent]:
        return parse_lines(self._file.read(4 * MAX_SIZE), ResourceEvent) if self._file else ()


def _open(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except OSError:
        return None
