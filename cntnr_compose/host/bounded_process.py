"""Runs a program whose output and whose offspring may be anything: both are bounded, and end with it.

The program gets a time namespace of its own, with the time of all others: whatever it starts is born into
that, even a daemon that has left its parents and its session, and cannot leave it without privilege. So all
of it can be found again, in a container as well.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from cntnr_compose.core.values import Bytes, Seconds
from cntnr_compose.host import process, signals

BLOCK: Bytes = 1 << 16  # what a pipe holds
BLOCKS = 16  # that are read without a rest, so that nobody who writes without end keeps us busy
REST: Seconds = 0.005
ENDS_WITHIN: Seconds = 10  # after SIGKILL
CLONE_NEWTIME = 0x80
PR_SET_CHILD_SUBREAPER = 36
Namespace: TypeAlias = tuple[int, int]
Take: TypeAlias = Callable[[bytes], None]
_libc = ctypes.CDLL(None, use_errno=True)


def _name(place: int | str | Path) -> Namespace:
    found = os.stat(place)  # noqa: PTH116 - also of a descriptor
    return found.st_dev, found.st_ino


async def run(argv: Sequence[str], pid_file: Path, take: Take) -> int:
    """Run a program by one that starts it and says its pid in a file; give its status.

    ``take`` hears what it writes; time limits are the caller's. What it leaves running may go on, but is not
    listened to any more. Cancelled, all that it started is killed. Raises `ProgramMissing`.
    """
    words = [process.find(argv[0]), *argv[1:]]
    readable, writable = os.pipe()
    pipe = _Pipe(readable, take)
    try:
        try:
            guard = _begin(words, pid_file, writable)
        finally:
            os.close(writable)
        pipe.begin()
        try:
            await signals.gone(guard)
        except BaseException:
            await process.clean_up(_end(guard))
            raise
        status = _reaped(guard)
        pipe.read(BLOCKS)  # what was written just before the end
        return status
    finally:
        pipe.close()


def _begin(words: list[str], pid_file: Path, output: int) -> int:
    """Start what becomes the program's parent when its starter has ended; give its pid.

    It is a copy of this process, since to start one of its own takes longer than most programs run.
    """
    env = process.base_env()
    guard = os.fork()
    if guard:
        return guard
    status = 125
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        _close_all_above(2)  # locks and sockets are not for it
        status = _guard(words, env, pid_file)
    finally:
        os._exit(status)


def _close_all_above(last: int) -> None:
    for path in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):
            if int(path.name) > last:
                os.close(int(path.name))


def _reaped(guard: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(guard, 0)[1])


def _guard(words: list[str], env: dict[str, str], pid_file: Path) -> int:
    """Wait for what a starter has started; give its status, or the starter's where it fails."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    _libc.unshare(
        CLONE_NEWTIME
    )  # for those that are started from now on, where there is such a thing
    starter = os.fork()
    if not starter:
        os.execve(words[0], words, env)
    ended: dict[int, int] = {}
    code = _wait_for(starter, ended)
    # The program may have ended before its starter.
    return code or _wait_for(int(pid_file.read_text()), ended)


def _wait_for(wanted: int, ended: dict[int, int]) -> int:
    while wanted not in ended:
        pid, status = os.wait()
        ended[pid] = os.waitstatus_to_exitcode(status)
    code = ended[wanted]
    return code if code >= 0 else 128 - code


class _Pipe:
    """The reading end of a pipe."""

    def __init__(self, descriptor: int, take: Take) -> None:
        self._descriptor, self._take = descriptor, take
        self._loop = asyncio.get_running_loop()
        self._left = BLOCKS
        self._rest: asyncio.TimerHandle | None = None
        os.set_blocking(descriptor, False)

    def begin(self) -> None:
        """Read whenever there is something, with a rest now and then."""
        self._left = BLOCKS
        self._loop.add_reader(self._descriptor, self._more)

    def read(self, blocks: int) -> bool:
        """Read what there is; False at the end of it all."""
        for _ in range(blocks):
            try:
                block = os.read(self._descriptor, BLOCK)
            except BlockingIOError:
                return True
            if not block:
                return False
            self._take(block)
        return True

    def close(self) -> None:
        """Listen no more."""
        if self._rest is not None:
            self._rest.cancel()
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)

    def _more(self) -> None:
        self._left -= 1
        if not self.read(1):
            self._loop.remove_reader(self._descriptor)
        elif not self._left:
            self._loop.remove_reader(self._descriptor)
            self._rest = self._loop.call_later(REST, self.begin)


async def _end(guard: int) -> None:
    """Kill a guard, its program and all that this has started.

    The namespace is held, so that no other one gets its name meanwhile. Where there are none, who has left
    its parents is not found.
    """
    with contextlib.ExitStack() as undo:
        theirs, below = None, _below(guard)
        with contextlib.suppress(OSError):  # it has ended
            place = f"/proc/{guard}/ns/time_for_children"
            undo.callback(os.close, held := os.open(place, os.O_RDONLY | os.O_CLOEXEC))
            theirs = _name(held) if _name(held) != _name("/proc/self/ns/time") else None
        for pid in (guard, *below):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await signals.gone(guard)
        _reaped(guard)
        end = time.monotonic() + ENDS_WITHIN
        while theirs and _kill(theirs) and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(REST)


def _below(pid: int) -> list[int]:
    """List the children of a process, theirs, and so on."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(path.read_bytes().rpartition(b")")[2].split()[1])
            parents.setdefault(parent, []).append(int(path.parent.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found[1:]


def _kill(theirs: Namespace) -> bool:
    """Kill everybody in a time namespace; tell whether there was anybody."""
    found = False
    for pid in [int(path.name) for path in Path("/proc").glob("[0-9]*")]:
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(pid)  # before the look, so that it is the one that is killed
            try:
                if theirs in _namespaces(pid):
                    found = True
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            finally:
                os.close(descriptor)
    return found


def _namespaces(pid: int) -> Iterator[Namespace]:
    """Give the time namespace of a process; its first thread may have ended while others go on."""
    try:
        yield _name(f"/proc/{pid}/ns/time")
    except FileNotFoundError:
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                yield _name(task / "ns/time")
