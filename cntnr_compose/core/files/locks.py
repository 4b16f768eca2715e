"""Check whether a process holds a lock. Imports what is built in, for commands that are over in no time."""

import fcntl
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


def is_locked(path: "Path | str") -> bool:
    """Check whether a process holds the lock at ``path``; do not create the file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):  # the latter in a holder that is ending
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
