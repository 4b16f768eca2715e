"""Signals by name; wait for processes that are not our children, and kill them by their root folder."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from cntnr_compose.core.errors import CntnrError


class SignalUnknown(CntnrError):
    """A signal's name or number is no signal."""

    def __init__(self, name: str) -> None:
        super().__init__(f"invalid signal: {name}")


def signal_number(name: str) -> int:
    """Return the number of ``SIGTERM``, ``term`` or ``15``. Raises `SignalUnknown`."""
    word = name.upper()
    try:
        if word.isdecimal():
            return signal.Signals(int(word)).value
        if word.startswith(("SIGRTMIN+", "RTMIN+")):
            return signal.SIGRTMIN + int(word.partition("+")[2])
        return signal.Signals[f"SIG{word.removeprefix('SIG')}"].value
    except (KeyError, ValueError):
        raise SignalUnknown(name) from None


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
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            status = (entry / "root").stat()
            if target and (status.st_dev, status.st_ino) == (target.st_dev, target.st_ino):
                os.kill(int(entry.name), signal.SIGKILL)
