"""Signals by name, and waiting for a process that is not a child of ours."""

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
    """Give the number of ``SIGTERM``, ``term`` or ``15``. Raises `SignalUnknown`."""
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
    """Wait until a process is gone; it need not be a child of ours (pidfd_open(2))."""
    if not pid:
        return
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        loop.remove_reader(descriptor)
        if not over.done():
            over.set_result(None)

    loop.add_reader(descriptor, wake)
    try:
        await over
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def kill_by_root(root: Path) -> None:
    """Kill every process whose root directory is ``root``."""
    wanted = root.stat() if root.exists() else None
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found = (entry / "root").stat()
            if wanted and (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                os.kill(int(entry.name), signal.SIGKILL)
