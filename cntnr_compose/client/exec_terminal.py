"""Run the command of `exec` on a terminal of its own, between which and ours bytes are relayed.

So keys can detach from it: the command then goes on, and a process in the background reads what it writes.
"""

import contextlib
import errno
import fcntl
import os
import select
import struct
import termios
import tty
from collections.abc import Sequence

from cntnr_compose.client.attach import TerminalRelay
from cntnr_compose.client.exec import exit_code
from cntnr_compose.host import process

MAX_ERROR_SIZE = 1 << 16
DETACHED = 1  # the exit code, as docker's


class TerminalConnection:
    """Our end of the terminal that a command runs on."""

    def __init__(self, master: int) -> None:
        self._master = master

    def fileno(self) -> int:
        """Return the descriptor, for select."""
        return self._master

    def receive(self) -> tuple[int, bytes] | None:
        """Return the next output as our descriptor and bytes; None if the command has ended."""
        try:
            block = os.read(self._master, 1 << 16)
        except OSError:  # nobody has the other end any more
            return None
        return (1, block) if block else None

    def send(self, typed: bytes) -> None:
        """Type; ignored if the command has ended."""
        with contextlib.suppress(OSError):
            while typed:
                typed = typed[os.write(self._master, typed) :]

    def close_stdin(self) -> None:
        """End the input as ctrl-d does."""
        self.send(b"\x04")

    def resize(self, rows: int, columns: int) -> None:
        """Set the size of the terminal."""
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def run_on_terminal(
    argv: Sequence[str], program: str, container: str, *, stdin: bool, detach_keys: bytes
) -> int:
    """Run a prepared runc command that has a terminal, and return its exit code; 1 where keys detach.

    Our input is typed into it only where ``stdin``. Raises `CannotExec`, `ProgramMissing`, `OSError`.
    """
    master, slave = os.openpty()
    readable, writable = os.pipe2(os.O_CLOEXEC)
    with contextlib.ExitStack() as undo:
        undo.callback(os.close, master)
        undo.callback(os.close, readable)
        tty.setraw(slave)  # before runc does so, nothing is to be echoed
        connection = TerminalConnection(master)
        relay = TerminalRelay(
            connection, stdin=0 if stdin else None, tty=stdin, detach_keys=detach_keys
        )
        relay.send_size()
        try:
            child = process.popen(
                ["setsid", "--ctty", *argv], stdin=slave, stdout=slave, stderr=writable
            )
        finally:
            os.close(slave)
            os.close(writable)
        if relay.run():
            os.write(2, b"read escape sequence\n")
            _read_in_background(master, readable)
            return DETACHED
        return exit_code(child.wait(), _read_error(readable), program, container)


def _read_error(readable: int) -> bytes:
    """Read what runc has written, which is little; processes in the container do not have the pipe."""
    os.set_blocking(readable, False)
    try:
        return os.read(readable, MAX_ERROR_SIZE)
    except BlockingIOError:
        return b""


def _read_in_background(master: int, readable: int) -> None:
    """Read from a process of its own what a command writes that we have detached from."""
    if os.fork():
        return
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(null, descriptor)
        while True:
            ready, _, _ = select.select([master, readable], [], [])
            if master in ready and not os.read(master, 1 << 16):
                break
            if readable in ready and not os.read(readable, 1 << 16):
                break
    except OSError as error:
        if error.errno != errno.EIO:
            os._exit(1)
    finally:
        os._exit(0)
