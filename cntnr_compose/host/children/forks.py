"""Fork processes that have none of our files, and some that go on by themselves.

Python and the modules that are imported already need not be started again, which takes 30 ms.
"""

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable, Collection
from typing import NoReturn

STANDARD_ERROR = 2
# Of the fields of /proc/PID/stat after the name; the end follows it (proc_pid_stat(5): 48, 49).
ARGUMENTS_START = 45


def fork_child(kept: Collection[int]) -> int:
    """Fork a child that has none of our descriptors but the standard ones and ``kept``; 0 in the child.

    So it keeps no lock of ours, and no pipe open. Not from a thread beside which others run: the child could
    wait for a lock that they hold.
    """
    child = os.fork()
    if child == 0:
        signal.set_wakeup_fd(-1)
        gc.freeze()  # a file of ours that were collected would close what has its number by then
        # Not os.closerange: without close_range(2) it would try all numbers, of which there may be 2^30.
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
            if (number := int(name)) > STANDARD_ERROR and number not in kept:
                with contextlib.suppress(OSError):  # that of the listing
                    os.close(number)
    return child


def fork_detached(work: Callable[[], object], *, title: str, kept: int, log: str) -> int:
    """Run ``work`` in a process with a session of its own, whose parent is not us.

    It keeps one descriptor, ``kept``; its output goes to ``log``; others see ``title`` as its command line.
    Return the pid of the child that starts it and ends at once: to be waited for later, since that takes as
    long as the processors are busy. As to threads, see `fork_child`.
    """
    starter = fork_child((kept,))
    if starter:
        return starter
    try:
        os.setsid()
        if os.fork() == 0:
            _run_detached(work, title, log)
    finally:
        os._exit(0)


def _run_detached(work: Callable[[], object], title: str, log: str) -> NoReturn:
    """Run a function as if a program were started, and exit."""
    try:
        _reset_signals()
        null = os.open(os.devnull, os.O_RDONLY)
        out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        for number, descriptor in enumerate((null, out, out)):
            os.dup2(descriptor, number)
        os.close(null)
        os.close(out)
        # Another thread may have been writing to the old ones.
        sys.stdout = sys.stderr = os.fdopen(2, "w", errors="replace", closefd=False)
        set_title(title)
        os.chdir("/")
        work()
    except BaseException:  # noqa: BLE001 - a fork must not go on with what its parent was doing
        import traceback  # it imports much

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(0)


def _reset_signals() -> None:
    """Set the handling of signals back to that of a new process."""
    sys.unraisablehook = sys.__unraisablehook__
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGURG):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def set_title(title: str) -> None:
    """Set the command line that others see of this process; the words of the command may be secret."""
    with contextlib.suppress(OSError, ValueError):
        with open("/proc/self/stat", encoding="ascii", errors="replace") as file:  # noqa: PTH123
            fields = file.read().rpartition(")")[2].split()
        start, end = int(fields[ARGUMENTS_START]), int(fields[ARGUMENTS_START + 1])
        text = title.encode()[: end - start - 1].ljust(end - start, b"\0")
        memory = os.open("/proc/self/mem", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(memory, text, start)
        finally:
            os.close(memory)
    with contextlib.suppress(OSError), open("/proc/self/comm", "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(title)
