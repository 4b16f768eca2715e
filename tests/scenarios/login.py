"""Imitate a login: the user's runtime directory, and mounts that are shared as systemd shares them.

The machine that the suite runs on may have neither. So the suite makes both in a mount namespace of its own,
which ends with it.
"""

import ctypes
import os
from pathlib import Path

CLONE_NEWNS = 0x00020000
MS_REC = 0x4000
MS_PRIVATE = 1 << 18
MS_SHARED = 1 << 20
SESSIONS = Path("/run/user")


def is_wanted() -> bool:
    """Return whether the user is to be logged in; CNTNR_TEST_ENVIRONMENT=bare is like cron or `su`."""
    chosen = os.environ.get("CNTNR_TEST_ENVIRONMENT", "login")
    assert chosen in ("login", "bare"), f"CNTNR_TEST_ENVIRONMENT is login or bare, not {chosen}"
    return chosen == "login"


def log_in(uid: int, gid: int) -> Path | None:
    """Log a user in, for this process and its children; return its XDG_RUNTIME_DIR. Needs root."""
    _own_mounts()
    SESSIONS.mkdir(exist_ok=True)
    _mount("tmpfs", str(SESSIONS), "tmpfs", 0, "mode=0755")
    if not is_wanted():
        return None
    place = SESSIONS / str(uid)
    place.mkdir()
    _mount("tmpfs", str(place), "tmpfs", 0, f"mode=0700,uid={uid},gid={gid}")
    return place


def _own_mounts() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    _mount("none", "/", "", MS_REC | MS_PRIVATE, "")  # nothing of ours reaches the machine
    if is_wanted():
        _mount("none", "/", "", MS_REC | MS_SHARED, "")


def _mount(source: str, target: str, kind: str, flags: int, options: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = (word.encode() for word in (source, target, kind))
    if libc.mount(*words, flags, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}")
