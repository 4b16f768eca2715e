"""Fork processes: with none of our files, or with a pid and a mount namespace of its own.

When the latter ends, all that it started ends.
"""

import ctypes
import gc
import os
import signal
from collections.abc import Iterable

from cntnr_compose.host.kernel import CLONE_NEWNS, CLONE_NEWPID

MS_REC_PRIVATE = 1 << 14 | 1 << 18
PR_SET_PDEATHSIG = 1


def fork_child(kept: Iterable[int]) -> int:
    """Fork a child that has none of our descriptors but the standard ones and ``kept``; 0 in the child.

    So it keeps no lock of ours, and no pipe open. Not from a thread beside which others run: the child could
    wait for a lock that they hold.
    """
    child = os.fork()
    if child == 0:
        signal.set_wakeup_fd(-1)
        gc.freeze()  # a file of ours that were collected would close what has its number by then
        last = 2
        for descriptor in (*sorted(kept), os.sysconf("SC_OPEN_MAX")):
            os.closerange(last + 1, descriptor)
            last = descriptor
    return child


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
