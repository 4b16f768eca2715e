"""The terminal of a process that crun runs: crun hands it over, and leaves input, output and size to us.

runc relays between two terminals by itself, and follows the size of ours; crun does not follow it.
"""

import array
import contextlib
import os
import select
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.client.attach import TerminalRelay
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import process, socket_peer
from cntnr_compose.host.namespaces import holder
from cntnr_compose.model.protocol import ExecCommand

CHUNK = 1 << 14


class ConsoleMissing(CntnrError):
    """The holder is gone in which the runtime would have handed the terminal over."""

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot get the terminal of the process: {why}")


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
        import termios

        with contextlib.suppress(OSError):
            termios.tcsetwinsize(self._master, (rows, columns))

    def close(self) -> None:
        """Give everything back."""
        self.close_stdin()
        self._events.close()


def run_on_console(command: ExecCommand) -> tuple[int, bytes]:
    """Run a command that hands its terminal over; return its exit code, and what it says of a failure.

    Raises `ConsoleMissing`, `ProgramMissing`.
    """
    path = holder.proc_root_path(Path(command.console))
    if path is None:
        raise ConsoleMissing(holder.ENDED_FROM_OUTSIDE)
    with contextlib.ExitStack() as undo:
        listener = undo.enter_context(_listen(path))
        null = undo.enter_context(open(os.devnull, "r+b"))  # noqa: PTH123
        readable, writable = os.pipe2(os.O_CLOEXEC)
        stderr = undo.enter_context(os.fdopen(readable, "rb", buffering=0))
        try:
            child = process.popen(
                command.argv, stdin=null.fileno(), stdout=null.fileno(), stderr=writable
            )
        finally:
            os.close(writable)
        pidfd = os.pidfd_open(child.pid)
        undo.callback(os.close, pidfd)
        master = _receive_master(listener, pidfd)
        if master is not None:
            _relay(master, pidfd, child)
        code = child.wait()
        os.set_blocking(readable, False)  # what it has left behind may keep the pipe open
        return code, stderr.read(CHUNK) or b""


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


def _relay(master: int, pidfd: int, child: process.RunningProgram) -> None:
    console = ConsoleConnection(master, pidfd)
    try:
        TerminalRelay(
            console,
            tty=True,
            detach_keys=b"",
            on_signal=lambda name: child.send_signal(signal.Signals[name]),
        ).run()
    finally:
        console.close()


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
