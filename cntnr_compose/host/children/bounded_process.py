"""Run a program with bounded output, and kill all its descendants with it.

The program gets a time namespace of its own, with the host's time: whatever it starts is in that too, even a
daemon that has left its parents and its session, and cannot leave it without privilege. So all descendants
can be found, in a container as well.
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
from cntnr_compose.host import proc, process, signals

BLOCK_SIZE: Bytes = 1 << 16  # the capacity of a pipe
BLOCKS_AT_ONCE = 16  # read without a pause, so that endless output does not keep us busy
PAUSE: Seconds = 0.005
KILL_TIMEOUT: Seconds = 10  # after SIGKILL
CLONE_NEWTIME = 0x80
PR_SET_CHILD_SUBREAPER = 36
Namespace: TypeAlias = tuple[int, int]
OutputCallback: TypeAlias = Callable[[bytes], None]
_libc = ctypes.CDLL(None, use_errno=True)


def _namespace_id(file: int | str | Path) -> Namespace:
    status = os.stat(file)  # noqa: PTH116 - also of a descriptor
    return status.st_dev, status.st_ino


async def run_bounded(argv: Sequence[str], pid_file: Path, on_output: OutputCallback) -> int:
    """Run a program by a starter that writes the program's pid to a file; return the exit code.

    ``on_output`` gets what it writes; time limits are the caller's. Descendants that outlive it may go on,
    but their output is not read. When cancelled, kill all of them. Raises `ProgramMissing`.
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
        pipe.read(BLOCKS_AT_ONCE)  # written just before the end
        return status
    finally:
        pipe.close()


def _fork_guard(words: list[str], pid_file: Path, output: int) -> int:
    """Fork the guard, which becomes the program's parent when its starter has ended; return its pid.

    It is a fork of this process, since to start a program for it takes longer than most programs run.
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
        _close_all_above(2)  # it must not keep locks and sockets
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
    """Wait for the program; return its exit code, or the starter's where that fails."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    _libc.unshare(CLONE_NEWTIME)  # for children from now on, where the kernel has time namespaces
    starter = os.fork()
    if not starter:
        os.execve(words[0], words, env)
    ended: dict[int, int] = {}
    code = _wait_for(starter, ended)
    # The program may have ended before its starter.
    return code or _wait_for(int(pid_file.read_text()), ended)


def _wait_for(pid: int, ended: dict[int, int]) -> int:
    """Reap children until a process has ended; return its exit code as a shell does."""
    while pid not in ended:
        child, status = os.wait()
        ended[child] = os.waitstatus_to_exitcode(status)
    code = ended[pid]
    return code if code >= 0 else 128 - code


class _Pipe:
    """The reading end of a pipe."""

    def __init__(self, descriptor: int, on_output: OutputCallback) -> None:
        self._descriptor, self._on_output = descriptor, on_output
        self._loop = asyncio.get_running_loop()
        self._blocks_left = BLOCKS_AT_ONCE
        self._pause: asyncio.TimerHandle | None = None
        os.set_blocking(descriptor, False)

    def start(self) -> None:
        """Read whenever there is output, with a pause after some blocks."""
        self._blocks_left = BLOCKS_AT_ONCE
        self._loop.add_reader(self._descriptor, self._read_more)

    def read(self, blocks: int) -> bool:
        """Read available output; return False at end of file."""
        for _ in range(blocks):
            try:
                block = os.read(self._descriptor, BLOCK_SIZE)
            except BlockingIOError:
                return True
            if not block:
                return False
            self._on_output(block)
        return True

    def close(self) -> None:
        """Stop reading."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)

    def _read_more(self) -> None:
        self._blocks_left -= 1
        if not self.read(1):
            self._loop.remove_reader(self._descriptor)
        elif not self._blocks_left:
            self._loop.remove_reader(self._descriptor)
            self._pause = self._loop.call_later(PAUSE, self.start)


async def _kill_all(guard: int) -> None:
    """Kill a guard, its program and all descendants.

    The time namespace is kept open, so that no other one gets its id meanwhile. Where the kernel has none,
    daemons that have left their parents are not found.
    """
    with contextlib.ExitStack() as undo:
        namespace, descendants = None, proc.find_descendants([guard])
        with contextlib.suppress(OSError):  # it has ended
            file = f"/proc/{guard}/ns/time_for_children"
            undo.callback(os.close, descriptor := os.open(file, os.O_RDONLY | os.O_CLOEXEC))
            if _namespace_id(descriptor) != _namespace_id("/proc/self/ns/time"):
                namespace = _namespace_id(descriptor)
        for pid in (guard, *descendants):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await signals.wait_for_exit(guard)
        _reap(guard)
        end = time.monotonic() + KILL_TIMEOUT
        while namespace and _kill_in_namespace(namespace) and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(PAUSE)


def _kill_in_namespace(namespace: Namespace) -> bool:
    """Kill all processes of a time namespace; return whether there were any."""
    found_any = False
    for pid in proc.list_pids():
        with contextlib.suppress(OSError):
            # Opened first, so that the process that is looked at is the one that is killed.
            descriptor = os.pidfd_open(pid)
            try:
                if namespace in _time_namespaces(pid):
                    found_any = True
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            finally:
                os.close(descriptor)
    return found_any


def _time_namespaces(pid: int) -> Iterator[Namespace]:
    """Yield the time namespace of a process; its first thread may have ended while others go on."""
    try:
        yield _namespace_id(f"/proc/{pid}/ns/time")
    except FileNotFoundError:
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                yield _namespace_id(task / "ns/time")
