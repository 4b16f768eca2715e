"""Write the files that `--cidfile` and `--pidfile` name."""

import contextlib
import os
from pathlib import Path

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.names import STANDALONE


class IdFileExists(CntnrError):
    """The file for a container's id exists: another container may have written it."""

    def __init__(self, path: str) -> None:
        super().__init__(f"container ID file found: {path}")
        self.hint = "make sure that the other container does not run, or remove the file"


class FileNotWritten(CntnrError):
    """A file that a flag names cannot be written."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"cannot write {path}: {why}")


def reserve_id_file(path: str | None, undo: contextlib.ExitStack) -> None:
    """Create the file for a container's id, which must not exist; ``undo`` removes it.

    Raises `IdFileExists`, `FileNotWritten`.
    """
    if not path:
        return
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
    except FileExistsError:
        raise IdFileExists(path) from None
    except OSError as error:
        raise FileNotWritten(path, error.strerror or str(error)) from None
    undo.callback(Path(path).unlink, missing_ok=True)


def write_id(path: str | None, identity: str) -> None:
    """Write the id of a container into the file that was reserved for it."""
    if path:
        _write(path, identity)


def write_pid(path: str | None, identity: str) -> None:
    """Write the pid of a container's first process, on this machine; 0 where it has ended already."""
    if not path:
        return
    from cntnr_compose.client.processes import find_members
    from cntnr_compose.containers.state import records
    from cntnr_compose.model.observed import Container

    record = records.read_record(STANDALONE, identity)
    members = {}
    if record is not None:
        container = Container(record=record, status=records.read_status(record))
        members = find_members([container])
    _write(path, str(members[identity].init if identity in members else 0))


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text)
    except OSError as error:
        raise FileNotWritten(path, error.strerror or str(error)) from None
