"""Runs a program in a container for `exec`: our terminal is its, its status is ours."""

import os
import re
import select
import signal
from collections.abc import Sequence
from typing import Any, Self

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import process

RUNC_EXEC_FAILED = 255  # runc's own status where it could not start the program
RUNC_LOG_PREFIX = b'time="'
CAUSE_PREFIX = b"exec failed: "
FRAME = "unable to start container process: "
PROGRAM_PREFIX = r'^exec: "[^"]*": '
REASONS = (("permission denied", 126), ("exec format error", 126))
NOT_FOUND = 127
FORWARDED_SIGNALS = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGQUIT")


class CannotExec(CntnrError):
    """A program could not be started in a container that runs."""

    def __init__(self, program: str, container: str, said: str) -> None:
        super().__init__(f"cannot run {program} in container {container}: {said}")
        self.exit_code = next((code for words, code in REASONS if words in said), NOT_FOUND)


def run_exec(argv: Sequence[str], program: str, container: str, *, detach: bool = False) -> int:
    """Run the command that was laid out, and give its status: 128 and the number for a signal.

    Raises `CannotExec` with status 126 or 127 as docker does, `ProgramMissing`.
    """
    if detach:
        return _run_detached(argv, program, container)
    readable, writable = os.pipe2(os.O_CLOEXEC)
    try:
        with _SignalForwarder() as signals:
            child = process.popen(argv, stderr=writable)
            signals.set_child(child)
            os.close(writable)
            said = _forward_stderr(child, readable)
            code = child.wait()
    finally:
        os.close(readable)
    if code == RUNC_EXEC_FAILED and said:
        raise CannotExec(program, container, _extract_cause(said))
    os.write(2, said)  # it was the program's after all
    return code if code >= 0 else 128 - code


def _run_detached(argv: Sequence[str], program: str, container: str) -> int:
    with open(os.devnull, "r+b") as nothing:  # noqa: PTH123
        number = nothing.fileno()
        code = process.popen(argv, stdin=number, stdout=number, stderr=number).wait()
    if code == RUNC_EXEC_FAILED:
        raise CannotExec(program, container, "it could not be started")
    return code


def _forward_stderr(child: process.RunningProgram, readable: int) -> bytes:
    """Copy standard error until the child ends; give what looks like runc's words of its failure.

    The end of the child counts, not the pipe's: what it left in the container may hold that open.
    """
    ended = os.pidfd_open(child.pid)
    said = b""
    try:
        poll = select.poll()
        poll.register(readable, select.POLLIN)
        poll.register(ended, select.POLLIN)
        while True:
            ready = {number for number, _ in poll.poll()}
            if readable in ready:
                part = os.read(readable, 1 << 16)
                if part.startswith(RUNC_LOG_PREFIX) and CAUSE_PREFIX in part:
                    said += part
                elif part:
                    os.write(2, part)
                else:
                    poll.unregister(readable)
            elif ended in ready:
                return said
    finally:
        os.close(ended)


def _extract_cause(said: bytes) -> str:
    """Take the cause out of a line of runc's log."""
    _, _, cause = said.partition(CAUSE_PREFIX)
    line = cause.split(b"\n")[0].rstrip(b'"').decode(errors="replace").replace('\\"', '"')
    for frame in (FRAME, PROGRAM_PREFIX):
        line = re.sub(frame, "", line)
    return line


class _SignalForwarder:
    """Passes signals on to a child instead of dying of them, also those that come before there is one.

    A terminal sends Ctrl-C to the child as well, so it is passed on only where there is none.
    """

    def __init__(self) -> None:
        self._child: process.RunningProgram | None = None
        self._early: list[int] = []
        self._earlier: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for name in FORWARDED_SIGNALS:
            number = int(signal.Signals[name])
            self._earlier[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    def set_child(self, child: process.RunningProgram) -> None:
        self._child = child
        while self._early:  # these came before it, so no terminal has sent it any of them
            child.send_signal(self._early.pop(0))

    def _take(self, number: int, _frame: object) -> None:
        if self._child is None:
            self._early.append(number)
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
