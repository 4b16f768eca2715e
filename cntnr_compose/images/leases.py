"""Keep the collector from what is in use: leases of those at work, and the lock that it holds itself.

Whoever reads or writes blobs, folders of layers or steps that no name refers to yet holds a lease meanwhile,
and marks what it finds as used. The collector removes nothing that was made or used since the oldest lease.
A lease is a locked file, so it ends with its process, however that ends.
"""

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.files import locks
from cntnr_compose.core.values import Seconds
from cntnr_compose.host import files

LOCK_TIMEOUT: Seconds = 60
# The clock of the machine may be set back while a build is under way.
CLOCK_MARGIN: Seconds = 60


class StoreBusy(CntnrError):
    """Other commands have kept the store from being collected for too long."""

    hint = "try again when the builds and pulls that are under way have ended"

    def __init__(self) -> None:
        super().__init__("cannot clean up the image store: other commands use it")


def _folder(root: Path) -> Path:
    return root / "leases"


def _lock(root: Path) -> Path:
    return root / ".collect"


@contextlib.contextmanager
def hold_lease(root: Path) -> Iterator[None]:
    """Hold a lease on a store: what is made or used from now on is kept."""
    folder = _folder(root)
    path = folder / os.urandom(8).hex()
    with contextlib.ExitStack() as undo:
        with hold_off(root):  # else it could be taken for one of a dead process before it is locked
            undo.callback(path.unlink, missing_ok=True)
            undo.enter_context(files.file_lock(path))
        yield


@contextlib.contextmanager
def hold_off(root: Path) -> Iterator[None]:
    """Keep the collector waiting while something is looked up and marked as used. Short: others wait."""
    with files.file_lock(_lock(root), shared=True):
        yield


@contextlib.contextmanager
def collecting(root: Path, timeout: Seconds = LOCK_TIMEOUT) -> Iterator[Seconds]:
    """Hold the collector's lock; yield since when what was used is to be kept.

    Raises `StoreBusy`.
    """
    deadline, pause = time.monotonic() + timeout, 0.001
    while True:
        with files.file_lock(_lock(root), wait=False) as is_held:
            if is_held:
                yield _oldest_lease(root) - CLOCK_MARGIN
                return
        if time.monotonic() > deadline:
            raise StoreBusy
        time.sleep(pause)
        pause = min(pause * 2, 0.05)


def _oldest_lease(root: Path) -> Seconds:
    """Return since when the oldest lease is held; in the future where there is none. Remove dead ones."""
    oldest = float("inf")
    for path in files.find_paths(_folder(root), "*"):
        with contextlib.suppress(FileNotFoundError):
            if locks.is_locked(path):
                oldest = min(oldest, path.stat().st_mtime)
            else:
                path.unlink()
    return oldest


def mark_used(path: Path) -> bool:
    """Mark a file or folder as used now; return whether it is there."""
    try:
        os.utime(path)
    except OSError as error:
        # Nothing is collected where nothing can be written.
        return error.errno in (errno.EROFS, errno.EACCES, errno.EPERM) and path.exists()
    return True


def last_use(path: Path) -> Seconds:
    """Return when a file or folder was made or marked as used; 0 where there is none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0
