"""Fork a process with a pid and a mount namespace of its own: when it ends, all that it started ends."""

import ctypes
import os
import signal

from cntnr_compose.host.kernel import CLONE_NEWNS, CLONE_NEWPID

MS_REC_PRIVATE = 1 << 14 | 1 << 18
PR_SET_PDEATHSIG = 1


def fork_isolated() -> int:
    """Fork; the child is the first process of a new pid namespace, and ends with its parent.

    Return the child's pid, and 0 in the child. Only for a process of one thread that may unshare
    namespaces. Raises `OSError`.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.unshare(CLONE_NEWPID), "unshare")
    child = os.fork()
    if child == 0:
        end_with_parent()
        unshare_mounts()
        # Programs look themselves up in /proc, which has to show the pids of the new namespace.
        _check(libc.mount(b"proc", b"/proc", b"proc", 0, None), "mount /proc")
    return child


def end_with_parent(number: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send a signal to this process when its parent ends. Raises `OSError`."""
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.prctl(PR_SET_PDEATHSIG, number), "prctl")


def unshare_mounts() -> None:
    """Enter a mount namespace of our own: what we mount, nobody else sees, and it goes with us.

    Only for a process of one thread that may unshare namespaces. Raises `OSError`.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.unshare(CLONE_NEWNS), "unshare")
    _check(libc.mount(b"none", b"/", None, MS_REC_PRIVATE, None), "mount /")


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
