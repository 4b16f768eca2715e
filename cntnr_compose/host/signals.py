"""Signals by name; wait for processes that are not our children, and kill them by their root folder."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import proc


class SignalUnknown(CntnrError):
    """A signal's name or number is no signal."""

    def __init__(self, name: str) -> None:
        super().__init__(f"invalid signal: {name}")


def signal_number(name: str) -> int:
    """Return the number of ``SIGTERM``, ``term``, ``15``, ``RTMIN+3`` or ``RTMAX-1``.

    Raises `SignalUnknown`.
    """
    word, plus, more = name.upper().removeprefix("SIG").partition("+")
    word, minus, less = word.partition("-")
    try:
        if plus or minus:
            base = {"RTMIN+": signal.SIGRTMIN, "RTMAX-": signal.SIGRTMAX}[word + plus + minus]
            number = base + int(more or 0) - int(less or 0)
            is_known = signal.SIGRTMIN <= number <= signal.SIGRTMAX
        elif word.isdecimal():
            number = int(word)
            is_known = 0 < number < signal.NSIG
        else:
            number = signal.Signals[f"SIG{word}"].value
            is_known = True
    except (KeyError, ValueError):
        raise SignalUnknown(name) from None
    if not is_known:
        raise SignalUnknown(name)
    return number


async def wait_for_exit(pid: int) -> None:
    """Wait for the exit of a process, which need not be a child of ours (pidfd_open(2))."""
    if not pid:
        return
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    exited: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        loop.remove_reader(descriptor)
        if not exited.done():
            exited.set_result(None)

    loop.add_reader(descriptor, wake)
    try:
        await exited
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def kill_by_root(root: Path) -> None:
    """Kill every process whose root directory is ``root``."""
    target = root.stat() if root.exists() else None
    for pid in proc.list_pids():
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{pid}/root").stat()
            if target and (status.st_dev, status.st_ino) == (target.st_dev, target.st_ino):
                os.kill(pid, signal.SIGKILL)
