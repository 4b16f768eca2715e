"""The terminal of a process in a container, which we relay to ours.

crun hands it over, and leaves input, output and size to us. runc relays between two terminals by itself, and
follows the size of the outer one: where keys are to detach, that is not ours, but one between.
"""

import array
import contextlib
import os
import select
import signal
import socket
import termios
import tty
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from cntnr_compose.client.attach import TerminalRelay
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen
from cntnr_compose.host import socket_peer
from cntnr_compose.host.children import spawn
from cntnr_compose.host.namespaces import holder
from cntnr_compose.model.protocol import ExecCommand

CHUNK = 1 << 14
DETACHED = 1  # the exit code after the keys that detach, as docker's


class ConsoleMissing(CntnrError):
    """The holder is gone in which the runtime would have handed the terminal over."""

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot get the terminal of the process: {why}")


class Keyboard(Frozen):
    """Whether what we are typed goes to a process, and which keys detach from it."""

    stdin: bool
    detach_keys: bytes


class ConsoleConnection:
    """The master side of a terminal, and the program that runs for as long as what is on it."""

    def __init__(self, master: int, program: int) -> None:
        """Take over the descriptors of the terminal and of the program (a pidfd)."""
        self._master, self._program = master, program
        self._events = select.epoll()
        self._events.register(master, select.EPOLLIN)
        self._events.register(program, select.EPOLLIN)

    def fileno(self) -> int:
        """Return the descriptor, for select."""
        return self._events.fileno()

    def receive(self) -> tuple[int, bytes] | None:
        """Return the next output, for our standard output; None if the process has ended."""
        ready = {descriptor for descriptor, _ in self._events.poll(0)}
        if self._master in ready:
            with contextlib.suppress(OSError):  # nobody has the other side open
                if output := os.read(self._master, CHUNK):
                    return 1, output
            self._events.unregister(self._master)
        return None if self._program in ready else (1, b"")

    def send(self, typed: bytes) -> None:
        """Type something."""
        with contextlib.suppress(OSError):
            while typed:
                typed = typed[os.write(self._master, typed) :]

    def close_stdin(self) -> None:
        """Hang up, since our own terminal is gone."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def resize(self, rows: int, columns: int) -> None:
        """Set the size of the terminal."""
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetwinsize(self._master, (rows, columns))

    def close(self) -> None:
        """Give everything back."""
        self.close_stdin()
        self._events.close()


def run_on_console(command: ExecCommand, keyboard: Keyboard) -> tuple[int, bytes]:
    """Run a command that hands its terminal over; return its exit code, and what it says of a failure.

    Raises `ConsoleMissing`, `ProgramMissing`.
    """
    path = holder.proc_root_path(Path(command.console))
    if path is None:
        raise ConsoleMissing(holder.ENDED_FROM_OUTSIDE)
    with contextlib.ExitStack() as undo:
        listener = undo.enter_context(_listen(path))
        log = path.with_suffix(".log")
        undo.callback(log.unlink, missing_ok=True)
        null = undo.enter_context(open(os.devnull, "r+b"))  # noqa: PTH123
        # In a session of its own, so that it does not end with our terminal.
        child, stderr = _start(undo, command, ("setsid",), null.fileno())
        pidfd = os.pidfd_open(child.pid)
        undo.callback(os.close, pidfd)
        master = _receive_master(listener, pidfd)
        if master is not None and _relay(master, pidfd, child, keyboard):
            return DETACHED, b""
        code = child.wait()
        return code, _read_log(log) or stderr.read(CHUNK) or b""


def _read_log(log: Path) -> bytes:
    """Read what the runtime says of a failure; nothing where it has not begun to."""
    try:
        with log.open("rb") as file:
            return file.read(CHUNK)
    except OSError:
        return b""


def run_on_terminal(command: ExecCommand, keyboard: Keyboard) -> tuple[int, bytes]:
    """Run a command on a terminal between its own and ours; return as `run_on_console` does.

    Raises `ProgramMissing`.
    """
    with contextlib.ExitStack() as undo:
        master, slave = os.openpty()
        with os.fdopen(slave):
            tty.setraw(slave)  # before the runtime does so, nothing is to be echoed
            with contextlib.suppress(OSError, termios.error):  # ours is no terminal
                termios.tcsetwinsize(slave, termios.tcgetwinsize(0))
            child, stderr = _start(undo, command, ("setsid", "--ctty"), slave)
        pidfd = os.pidfd_open(child.pid)
        undo.callback(os.close, pidfd)
        if _relay(master, pidfd, child, keyboard):
            return DETACHED, b""
        return child.wait(), stderr.read(CHUNK) or b""


def _start(
    undo: contextlib.ExitStack, command: ExecCommand, prefix: Sequence[str], stream: int
) -> tuple[spawn.Child, BinaryIO]:
    """Start a program with ``stream`` as its input and output; return it, and what reads its errors."""
    readable, writable = os.pipe2(os.O_CLOEXEC)
    stderr = undo.enter_context(os.fdopen(readable, "rb", buffering=0))
    os.set_blocking(readable, False)  # what it leaves behind may keep the pipe open
    try:
        child = spawn.spawn_with_file(
            (*prefix, *command.argv),
            command.spec_word,
            command.spec.encode(),
            stdin=stream,
            stdout=stream,
            stderr=writable,
        )
    finally:
        os.close(writable)
    return child, stderr


@contextlib.contextmanager
def _listen(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        try:
            listener.bind(str(path))
        except OSError as error:
            raise ConsoleMissing(error.strerror or str(error)) from error
        try:
            path.chmod(0o600)
            listener.listen(1)
            yield listener
        finally:
            path.unlink(missing_ok=True)


def _relay(master: int, pidfd: int, child: spawn.Child, keyboard: Keyboard) -> bool:
    """Relay until the process ends; True where the keys that detach were typed: then it goes on."""
    with contextlib.closing(ConsoleConnection(master, pidfd)) as console:
        relay = TerminalRelay(
            console,
            stdin=0 if keyboard.stdin else None,
            tty=True,
            detach_keys=keyboard.detach_keys,
            on_signal=lambda name: child.send_signal(signal.Signals[name]),
        )
        if not relay.run():
            return False
        _read_in_background(master)
    os.write(2, b"read escape sequence\n")
    return True


def _read_in_background(master: int) -> None:
    """Have a process of its own read what is written on a terminal that we have detached from."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # of our terminal, which may end before `setsid`
    if os.fork():
        return
    try:
        os.setsid()
        os.set_blocking(master, True)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(null, descriptor)
        while os.read(master, CHUNK):
            pass
    finally:  # also by the error at the end: nobody has the other side open
        os._exit(0)


def _receive_master(listener: socket.socket, pidfd: int) -> int | None:
    """Receive the master side of a terminal; None where the program ends before it sends one."""
    ready, _, _ = select.select([listener.fileno(), pidfd], [], [])
    if listener.fileno() not in ready:
        return None
    connection, _ = listener.accept()
    with connection:
        socket_peer.check_own_user(connection, listener.getsockname())
        descriptors = array.array("i")
        space = socket.CMSG_SPACE(descriptors.itemsize)
        _, messages, _, _ = connection.recvmsg(4096, space, socket.MSG_CMSG_CLOEXEC)
    for level, kind, content in messages:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
    return descriptors[0] if descriptors else None
