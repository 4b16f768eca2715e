"""Fork a process that goes on by itself: without our terminal, streams, descriptors, signals and command line.

Python and the modules that are imported already need not be started again, which takes 30 ms.
"""

import contextlib
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

GC_THRESHOLDS = gc.get_threshold()
ARGUMENTS_START = 45  # of the fields of /proc/PID/stat after the name; the end follows (proc(5): 48, 49)


def fork_detached(work: Callable[[], object], *, title: str, kept: int, log: str) -> None:
    """Run ``work`` in a process of a session of its own, whose parent is not us.

    ``title`` is shown as its command line, since ours may have words that are not for everybody, and that do
    not tell what it is. It keeps one descriptor, ``kept``; its output goes to ``log``. Not from a thread beside
    which others work: the child could wait for a lock that they hold.
    """
    starter = os.fork()
    if starter:
        os.waitpid(starter, 0)
        return
    try:
        os.setsid()
        if os.fork() == 0:
            _run_detached(work, title, kept, log)
    finally:
        os._exit(0)


def _run_detached(work: Callable[[], object], title: str, kept: int, log: str) -> NoReturn:
    try:
        _reset_signals()
        _replace_streams(kept, log)
        _set_command_line(title)
        os.chdir("/")
        gc.set_threshold(*GC_THRESHOLDS)
        work()
    except BaseException:  # noqa: BLE001 - nothing of the process that we were goes on
        traceback.print_exc()
    finally:
        os._exit(0)


def _reset_signals() -> None:
    """Set the handling of signals back to that of a new process."""
    signal.set_wakeup_fd(-1)
    sys.unraisablehook = sys.__unraisablehook__
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGURG):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _replace_streams(kept: int, log: str) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for number, descriptor in enumerate((null, out, out)):
        os.dup2(descriptor, number)
    os.closerange(3, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))


def _set_command_line(title: str) -> None:
    """Overwrite the words that /proc shows of this process; shorter ones cut the title off."""
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
