"""A process with pids and mounts of its own: when it ends, in whatever way, all that it started ends."""

import ctypes
import os
import signal

from cntnr_compose.host.kernel import CLONE_NEWNS, CLONE_NEWPID

MS_REC_PRIVATE = 1 << 14 | 1 << 18
PR_SET_PDEATHSIG = 1


def fork_isolated() -> int:
    """Fork; the child is the first of a new pid namespace, and ends with its parent.

    Gives the child's pid, and 0 in the child. Only for a process of one thread that may make
    namespaces. Raises `OSError`.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.unshare(CLONE_NEWPID), "unshare")
    child = os.fork()
    if child == 0:
        _check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL), "prctl")
        _check(libc.unshare(CLONE_NEWNS), "unshare")
        _check(libc.mount(b"none", b"/", None, MS_REC_PRIVATE, None), "mount /")
        # Programs look themselves up in /proc, where they have to find their own pids.
        _check(libc.mount(b"proc", b"/proc", b"proc", 0, None), "mount /proc")
    return child


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
