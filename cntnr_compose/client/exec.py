"""Run the command of `exec`: it gets our terminal, we return its exit code."""

import contextlib
import os
import re
import select
import signal
from collections.abc import Mapping
from typing import Any, Self

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree, from_json
from cntnr_compose.host import process
from cntnr_compose.model.protocol import ExecCommand

EXEC_FAILED = 255  # exit code of runc and crun if they could not start the program
RUNC_LOG_PREFIX = b'time="'
CAUSE_PREFIX = b"exec failed: "
CRUN_LOG = re.compile(rb'\{ ?"msg": ?".*", ?"level": ?"error", ?"time": ?"[^"]*" ?\}\n')
FRAME = "unable to start container process: "
PROGRAM_PREFIX = r'^exec: (?:"[^"]*": )?'
REASONS = (("permission denied", 126), ("exec format error", 126))
NOT_FOUND = 127
FORWARDED_SIGNALS = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGQUIT")


class CannotExec(CntnrError):
    """A program could not be started in a running container."""

    def __init__(self, program: str, container: str, cause: str) -> None:
        super().__init__(f"cannot run {program} in container {container}: {cause}")
        self.exit_code = next((code for words, code in REASONS if words in cause), NOT_FOUND)


def run_exec(
    command: ExecCommand,
    program: str,
    container: str,
    *,
    detach: bool = False,
    interactive: bool = True,
    detach_keys: bytes | None = None,
) -> int:
    """Run a prepared command of the OCI runtime, and return its exit code: 128 and the number for a signal.

    Unless ``interactive`` it reads nothing, and an interrupt that is passed on to it is raised at its end.
    With ``detach_keys`` it has a terminal of its own, from which they detach; 1 is returned then. Raises
    `CannotExec` with status 126 or 127 as docker does, `ProgramMissing`.
    """
    if command.joins_scope:
        from cntnr_compose.host.systemd import scope

        scope.join()
    if detach:
        return _run_detached(command, program, container)
    if command.console or detach_keys is not None:
        from cntnr_compose.client.console import Keyboard, run_on_console, run_on_terminal

        keyboard = Keyboard(stdin=interactive, detach_keys=detach_keys or b"")
        run = run_on_console if command.console else run_on_terminal
        return _explain(*run(command, keyboard), program, container)
    with contextlib.ExitStack() as undo, SignalForwarder() as signals:
        streams = _Streams(undo, interactive=interactive, is_apart=command.keeps_streams)
        child = process.popen_with_file(
            command.argv,
            command.spec_word,
            command.spec.encode(),
            stdin=streams.stdin,
            stdout=streams.stdout,
            stderr=streams.stderr,
        )
        signals.set_child(child)
        streams.close_child_ends()
        runtime_error = _forward_output(child, streams.outputs)
        code = child.wait()
    if signals.was_interrupted and not interactive:
        raise KeyboardInterrupt
    return _explain(code, runtime_error, program, container)


class _Streams:
    """The standard streams of a process: ours, but for standard error, which is looked through.

    Where it must be kept ``apart`` from our terminal, pipes are between them: a program that has a terminal
    could type on it, and change its modes.
    """

    def __init__(self, undo: contextlib.ExitStack, *, interactive: bool, is_apart: bool) -> None:
        self._undo = undo
        self._child_ends: list[int] = []
        undo.callback(self.close_child_ends)  # where the child could not be started
        self.outputs: dict[int, int] = {}  # what is read: where it goes
        self.stdin: int | None = None
        self.stdout: int | None = None
        if not interactive:
            self.stdin = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            self._child_ends.append(self.stdin)
        elif is_apart and os.isatty(0):
            self.stdin = self._pipe_input()
        if is_apart and os.isatty(1):
            self.stdout = self._pipe_output(1)
        self.stderr = self._pipe_output(2)

    def _pipe_output(self, target: int) -> int:
        readable, writable = os.pipe2(os.O_CLOEXEC)
        self._undo.callback(os.close, readable)
        self._child_ends.append(writable)
        self.outputs[readable] = target
        return writable

    def _pipe_input(self) -> int:
        readable, writable = os.pipe2(os.O_CLOEXEC)
        self._child_ends.append(readable)
        import threading

        # Nobody waits for it: whoever types has not typed yet when the process ends.
        threading.Thread(target=_copy_input, args=(writable,), daemon=True).start()
        return readable

    def close_child_ends(self) -> None:
        """Close what only the child needs."""
        while self._child_ends:
            os.close(self._child_ends.pop())


def _copy_input(target: int) -> None:
    """Copy what is typed, until nobody reads it any more."""
    with contextlib.suppress(OSError), os.fdopen(target, "wb", buffering=0) as pipe:
        while typed := os.read(0, 1 << 13):
            pipe.write(typed)


def _explain(code: int, runtime_error: bytes, program: str, container: str) -> int:
    """Return the exit code of a process. Raises `CannotExec` where the runtime could not start it."""
    if code == EXEC_FAILED and runtime_error:
        raise CannotExec(program, container, _extract_cause(runtime_error))
    os.write(2, runtime_error)  # not the runtime's error: the program wrote it
    return code if code >= 0 else 128 - code


def _run_detached(command: ExecCommand, program: str, container: str) -> int:
    with open(os.devnull, "r+b") as null:  # noqa: PTH123
        null_fd = null.fileno()
        child = process.popen_with_file(
            command.argv,
            command.spec_word,
            command.spec.encode(),
            stdin=null_fd,
            stdout=null_fd,
            stderr=null_fd,
        )
        code = child.wait()
    if code == EXEC_FAILED:
        raise CannotExec(program, container, "it could not be started")
    return code


def _forward_output(child: process.RunningProgram, outputs: Mapping[int, int]) -> bytes:
    """Copy output until the child ends; return what looks like an error message of the runtime.

    The child's end counts, not that of the pipes: processes left in the container may keep those open.
    """
    child_fd = os.pidfd_open(child.pid)
    runtime_error = b""
    try:
        poll = select.poll()
        for descriptor in (*outputs, child_fd):
            poll.register(descriptor, select.POLLIN)
        while True:
            ready = {number for number, _ in poll.poll()}
            for readable in ready & set(outputs):
                block = os.read(readable, 1 << 16)
                if outputs[readable] == 2 and _is_runtime_error(block):
                    runtime_error += block
                elif block:
                    os.write(outputs[readable], block)
                else:
                    poll.unregister(readable)
            if ready == {child_fd}:
                return runtime_error
    finally:
        os.close(child_fd)


def _is_runtime_error(block: bytes) -> bool:
    is_runc = block.startswith(RUNC_LOG_PREFIX) and CAUSE_PREFIX in block
    return is_runc or CRUN_LOG.fullmatch(block) is not None


def _extract_cause(runtime_error: bytes) -> str:
    """Extract the cause from a line of the log of runc or crun."""
    if CRUN_LOG.fullmatch(runtime_error):
        from cntnr_compose.core import oci_runtimes

        message = from_json(runtime_error, Tree)["msg"]
        return re.sub(PROGRAM_PREFIX, "", oci_runtimes.translate_cause(message))
    _, _, cause = runtime_error.partition(CAUSE_PREFIX)
    line = cause.split(b"\n")[0].rstrip(b'"').decode(errors="replace").replace('\\"', '"')
    for frame in (FRAME, PROGRAM_PREFIX):
        line = re.sub(frame, "", line)
    return line


class SignalForwarder:
    """Forward signals to a child instead of dying of them, also those that come before it is started.

    A terminal sends Ctrl-C to the child itself, so it is forwarded only where there is none.
    """

    def __init__(self) -> None:
        self._child: process.RunningProgram | None = None
        self._pending: list[int] = []
        self.was_interrupted = False
        self._previous_handlers: dict[int, Any] = {}

    def __enter__(self) -> Self:
        """Install the handlers."""
        for name in FORWARDED_SIGNALS:
            number = int(signal.Signals[name])
            self._previous_handlers[number] = signal.signal(number, self._forward)
        return self

    def __exit__(self, *_: object) -> None:
        """Restore those from before."""
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)

    def set_child(self, child: process.RunningProgram) -> None:
        """Forward to a child from now on, also what has come until now."""
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
