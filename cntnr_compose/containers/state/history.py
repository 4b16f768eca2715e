"""History of services: what became of their containers and why, for `why`; one small file a service.

Each entry is a line of JSON that is appended at once; a line that was broken off is passed over. It outlives
the container that it tells of, and goes with `down`.
"""

import hashlib
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from cntnr_compose.core import paths
from cntnr_compose.core.values import Bytes, Seconds, Value, replace, to_json
from cntnr_compose.host import event_log, files

Action = Literal[
    "created", "recreated", "started", "exited", "start_failed", "not_started", "healthy", "unhealthy"
]  # fmt: skip

MAX_SIZE: Bytes = 64 << 10  # of a file; then it is shortened
KEPT_SIZE: Bytes = 24 << 10  # of the latest entries
MAX_TEXT = 1000  # characters of a cause or an output
MAX_NAME = 200

log = logging.getLogger(__name__)


class PastEvent(Value, frozen=True, kw_only=True):
    """Something that became of a container, and why."""

    time: Seconds
    action: Action
    container: str = ""  # its name
    number: int = 1
    cause: str = ""
    command: str = ""  # of `cntnr compose`, that did it; empty: none did
    exit_code: int | None = None
    oom_killed: bool = False
    run_time: Seconds = 0  # of what has ended
    decision: str = ""  # of the restart policy
    output: str = ""  # of the probe that decided


def _file(project: str, service: str) -> Path:
    name = service if len(service) <= MAX_NAME else hashlib.sha256(service.encode()).hexdigest()
    return paths.history(project) / f"{name}.jsonl"


def add_entry(project: str, service: str, entry: PastEvent) -> None:
    """Append an entry; a full disk keeps nobody from what is told of."""
    entry = replace(entry, cause=entry.cause[:MAX_TEXT], output=entry.output[-MAX_TEXT:])
    path = _file(project, service)
    try:
        if event_log.append_value(path, entry) > MAX_SIZE:
            _shorten(path)
    except OSError as error:
        log.warning("cannot write the history of %s: %s", service, error)


def read_entries(project: str, service: str) -> list[PastEvent]:
    """Read the history of a service, oldest first; none where there is no file."""
    return _read(_file(project, service))


def _read(path: Path) -> list[PastEvent]:
    try:
        with path.open("rb") as file:
            text = file.read(2 * MAX_SIZE)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return event_log.parse_lines(text, PastEvent)


def _shorten(path: Path) -> None:
    """Keep the latest entries, and the latest of each kind, so that restarts do not drive out the rest."""
    entries = _read(path)
    latest = {(entry.number, entry.action): entry for entry in entries}
    kept = _latest(entries)
    rest = [entry for entry in latest.values() if entry not in kept]
    chosen = sorted([*_latest(rest), *kept], key=lambda entry: entry.time)
    files.write_atomic(path, b"".join(b"\n" + to_json(entry) for entry in chosen), mode=0o600)


def _latest(entries: Iterable[PastEvent]) -> list[PastEvent]:
    """Return as many of the last entries as there is room for."""
    kept: list[PastEvent] = []
    size = 0
    for entry in reversed(list(entries)):
        size += len(to_json(entry)) + 1
        if size > KEPT_SIZE:
            break
        kept.append(entry)
    return kept[::-1]


def remove_history(project: str, services: Iterable[str] = ()) -> None:
    """Remove the history of services, or of all; absent is fine."""
    folder = paths.history(project)
    names = list(services)
    for service in names:
        _file(project, service).unlink(missing_ok=True)
    if not names:
        files.remove_tree(folder)
    elif folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
