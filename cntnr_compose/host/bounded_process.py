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

BLOCK_SIZE: Bytes = 1 << 16  # what a pipe holds
BLOCKS_AT_ONCE = (
    16  # that are read without a rest, so that nobody who writes without end keeps us busy
)
PAUSE: Seconds = 0.005
KILL_TIMEOUT: Seconds = 10  # after SIGKILL
CLONE_NEWTIME = 0x80
PR_SET_CHILD_SUBREAPER = 36
Namespace: TypeAlias = tuple[int, int]
OutputCallback: TypeAlias = Callable[[bytes], None]
_libc = ctypes.CDLL(None, use_errno=True)


def _namespace_id(place: int | str | Path) -> Namespace:
    found = os.stat(place)  # noqa: PTH116 - also of a descriptor
    return found.st_dev, found.st_ino


async def run_bounded(argv: Sequence[str], pid_file: Path, on_output: OutputCallback) -> int:
    """Run a program by one that starts it and says its pid in a file; give its status.

    ``take`` hears what it writes; time limits are the caller's. What it leaves running may go on, but is not
    listened to any more. Cancelled, all that it started is killed. Raises `ProgramMissing`.
    """
    words = [process.find_program(argv[0]), *argv[1:]]
    readable, writable = os.pipe()
    pipe = _Pipe(readable, on_output)
    try:
        try:
            guard = _fork_guard(words, pid_file, writable)
        finally:
            os.close(writable)
        pipe.start()
        try:
            await signals.wait_for_exit(guard)
        except BaseException:
            await process.clean_up(_kill_all(guard))
            raise
        status = _reap(guard)
        pipe.read(BLOCKS_AT_ONCE)  # what was written just before the end
        return status
    finally:
        pipe.close()


def _fork_guard(words: list[str], pid_file: Path, output: int) -> int:
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
        status = _run_guard(words, env, pid_file)
    finally:
        os._exit(status)


def _close_all_above(last: int) -> None:
    for path in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):
            if int(path.name) > last:
                os.close(int(path.name))


def _reap(guard: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(guard, 0)[1])


def _run_guard(words: list[str], env: dict[str, str], pid_file: Path) -> int:
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

    def __init__(self, descriptor: int, take: OutputCallback) -> None:
        self._descriptor, self._take = descriptor, take
        self._loop = asyncio.get_running_loop()
        self._left = BLOCKS_AT_ONCE
        self._pause: asyncio.TimerHandle | None = None
        os.set_blocking(descriptor, False)

    def start(self) -> None:
        """Read whenever there is something, with a rest now and then."""
        self._left = BLOCKS_AT_ONCE
        self._loop.add_reader(self._descriptor, self._read_more)

    def read(self, blocks: int) -> bool:
        """Read what there is; False at the end of it all."""
        for _ in range(blocks):
            try:
                block = os.read(self._descriptor, BLOCK_SIZE)
            except BlockingIOError:
                return True
            if not block:
                return False
            self._take(block)
        return True

    def close(self) -> None:
        """Listen no more."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)

    def _read_more(self) -> None:
        self._left -= 1
        if not self.read(1):
            self._loop.remove_reader(self._descriptor)
        elif not self._left:
            self._loop.remove_reader(self._descriptor)
            self._pause = self._loop.call_later(PAUSE, self.start)


async def _kill_all(guard: int) -> None:
    """Kill a guard, its program and all that this has started.

    The namespace is held, so that no other one gets its name meanwhile. Where there are none, who has left
    its parents is not found.
    """
    with contextlib.ExitStack() as undo:
        theirs, below = None, _descendants(guard)
        with contextlib.suppress(OSError):  # it has ended
            place = f"/proc/{guard}/ns/time_for_children"
            undo.callback(os.close, held := os.open(place, os.O_RDONLY | os.O_CLOEXEC))
            theirs = (
                _namespace_id(held)
                if _namespace_id(held) != _namespace_id("/proc/self/ns/time")
                else None
            )
        for pid in (guard, *below):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await signals.wait_for_exit(guard)
        _reap(guard)
        end = time.monotonic() + KILL_TIMEOUT
        while theirs and _kill_in_namespace(theirs) and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(PAUSE)


def _descendants(pid: int) -> list[int]:
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


def _kill_in_namespace(theirs: Namespace) -> bool:
    """Kill everybody in a time namespace; tell whether there was anybody."""
    found = False
    for pid in [int(path.name) for path in Path("/proc").glob("[0-9]*")]:
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(pid)  # before the look, so that it is the one that is killed
            try:
                if theirs in _time_namespaces(pid):
                    found = True
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            finally:
                os.close(descriptor)
    return found


def _time_namespaces(pid: int) -> Iterator[Namespace]:
    """Give the time namespace of a process; its first thread may have ended while others go on."""
    try:
        yield _namespace_id(f"/proc/{pid}/ns/time")
    except FileNotFoundError:
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                yield _namespace_id(task / "ns/time")
