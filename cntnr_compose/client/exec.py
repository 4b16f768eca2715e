"""Run the command of `exec`: it gets our terminal, we return its exit code."""

import os
import re
import select
import signal
from collections.abc import Sequence
from typing import Any, Self

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import process

RUNC_EXEC_FAILED = 255  # exit code of runc if it could not start the program
RUNC_LOG_PREFIX = b'time="'
CAUSE_PREFIX = b"exec failed: "
FRAME = "unable to start container process: "
PROGRAM_PREFIX = r'^exec: "[^"]*": '
REASONS = (("permission denied", 126), ("exec format error", 126))
NOT_FOUND = 127
FORWARDED_SIGNALS = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGQUIT")


class CannotExec(CntnrError):
    """A program could not be started in a running container."""

    def __init__(self, program: str, container: str, cause: str) -> None:
        super().__init__(f"cannot run {program} in container {container}: {cause}")
        self.exit_code = next((code for words, code in REASONS if words in cause), NOT_FOUND)


def run_exec(
    argv: Sequence[str],
    program: str,
    container: str,
    *,
    detach: bool = False,
    interactive: bool = True,
) -> int:
    """Run a prepared runc command, and return its exit code: 128 and the number for a signal.

    Unless ``interactive`` it reads nothing, and an interrupt that is passed on to it is raised at its end.
    Raises `CannotExec` with status 126 or 127 as docker does, `ProgramMissing`.
    """
    if detach:
        return _run_detached(argv, program, container)
    readable, writable = os.pipe2(os.O_CLOEXEC)
    null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with _SignalForwarder() as signals:
            child = process.popen(argv, stdin=None if interactive else null, stderr=writable)
            signals.set_child(child)
            os.close(writable)
            runc_error = _forward_stderr(child, readable)
            code = child.wait()
    finally:
        os.close(readable)
        os.close(null)
    if signals.was_interrupted and not interactive:
        raise KeyboardInterrupt
    return exit_code(code, runc_error, program, container)


def exit_code(code: int, runc_error: bytes, program: str, container: str) -> int:
    """Return the exit code of a command that has ended: 128 and the number for a signal.

    Raises `CannotExec`.
    """
    if code == RUNC_EXEC_FAILED and runc_error:
        raise CannotExec(program, container, _extract_cause(runc_error))
    os.write(2, runc_error)  # not runc's error: the program wrote it
    return code if code >= 0 else 128 - code


def _run_detached(argv: Sequence[str], program: str, container: str) -> int:
    with open(os.devnull, "r+b") as null:  # noqa: PTH123
        null_fd = null.fileno()
        code = process.popen(argv, stdin=null_fd, stdout=null_fd, stderr=null_fd).wait()
    if code == RUNC_EXEC_FAILED:
        raise CannotExec(program, container, "it could not be started")
    return code


def _forward_stderr(child: process.RunningProgram, readable: int) -> bytes:
    """Copy standard error until the child ends; return what looks like an error message of runc.

    The child's end counts, not the pipe's: processes left in the container may keep that open.
    """
    child_fd = os.pidfd_open(child.pid)
    runc_error = b""
    try:
        poll = select.poll()
        poll.register(readable, select.POLLIN)
        poll.register(child_fd, select.POLLIN)
        while True:
            ready = {number for number, _ in poll.poll()}
            if readable in ready:
                block = os.read(readable, 1 << 16)
                if block.startswith(RUNC_LOG_PREFIX) and CAUSE_PREFIX in block:
                    runc_error += block
                elif block:
                    os.write(2, block)
                else:
                    poll.unregister(readable)
            elif child_fd in ready:
                return runc_error
    finally:
        os.close(child_fd)


def _extract_cause(runc_error: bytes) -> str:
    """Extract the cause from a line of runc's log."""
    _, _, cause = runc_error.partition(CAUSE_PREFIX)
    line = cause.split(b"\n")[0].rstrip(b'"').decode(errors="replace").replace('\\"', '"')
    for frame in (FRAME, PROGRAM_PREFIX):
        line = re.sub(frame, "", line)
    return line


class _SignalForwarder:
    """Forward signals to a child instead of dying of them, also those that come before it is started.

    A terminal sends Ctrl-C to the child itself, so it is forwarded only where there is none.
    """

    def __init__(self) -> None:
        self._child: process.RunningProgram | None = None
        self._pending: list[int] = []
        self.was_interrupted = False
        self._previous_handlers: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for name in FORWARDED_SIGNALS:
            number = int(signal.Signals[name])
            self._previous_handlers[number] = signal.signal(number, self._forward)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)

    def set_child(self, child: process.RunningProgram) -> None:
        self._child = child
        # These came before the child was there, so no terminal has sent it any of them.
        while self._pending:
            child.send_signal(self._pending.pop(0))

    def _forward(self, number: int, _frame: object) -> None:
        self.was_interrupted |= number in (signal.SIGINT, signal.SIGTERM)
        if self._child is None:
            self._pending.append(number)
        elif number != signal.SIGINT or not _is_in_foreground():
            self._child.send_signal(number)


def _is_in_foreground() -> bool:
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)
