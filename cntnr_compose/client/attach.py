"""Joins a terminal or pipes to a container's own, through the socket that conmon keeps.

Each packet from conmon begins with a byte that names the stream; what we send is the container's
standard input, and shutting our side down ends it.
"""

import contextlib
import os
import select
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import socket_peer as peer

STREAMS = {2: 1, 3: 2}  # conmon's number: our descriptor
MAX_PACKET_SIZE = 1 << 16  # conmon's are at most 8 KiB and a byte
DETACH_KEYS = b"\x10\x11"  # ctrl-p, ctrl-q
FORWARDED_SIGNALS = ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "CONT", "TSTP")


class CannotAttach(CntnrError):
    """A container's socket is gone: it has ended, or was never started."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"cannot attach to container {name}: {why}")


class DetachKeys:
    """Looks for the keys that detach in what is typed; they may come in several reads."""

    def __init__(self, wanted: bytes = DETACH_KEYS) -> None:
        self._wanted = wanted
        self._seen = 0

    def filter_input(self, typed: bytes) -> tuple[bytes, bool]:
        """Give what is to be sent on, and whether the keys are complete."""
        out = bytearray()
        for byte in typed:
            if self._wanted and byte == self._wanted[self._seen]:
                self._seen += 1
                if self._seen == len(self._wanted):
                    self._seen = 0
                    return bytes(out), True
                continue
            out += self._wanted[: self._seen]  # it was not them after all
            self._seen = 0
            if self._wanted and byte == self._wanted[0]:
                self._seen = 1
            else:
                out.append(byte)
        return bytes(out), False


class AttachConnection:
    """A connection to a container's input and output."""

    def __init__(self, bundle: Path, name: str) -> None:
        """Connect. Raises `CannotAttach`."""
        self._bundle = bundle
        self._wire = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._wire.connect(str(bundle / "attach"))
            peer.check_own_user(self._wire, bundle / "attach")
        except OSError as error:
            self._wire.close()
            raise CannotAttach(name, error.strerror or str(error)) from error
        except peer.Stranger:
            self._wire.close()
            raise

    def close(self) -> None:
        """Hang up; the container goes on."""
        self._wire.close()

    def fileno(self) -> int:
        """Give the descriptor, for select."""
        return self._wire.fileno()

    def receive(self) -> tuple[int, bytes] | None:
        """Give the next output as our descriptor and bytes; None where the container has ended."""
        try:
            packet = self._wire.recv(MAX_PACKET_SIZE)
        except ConnectionResetError:
            return None
        return (STREAMS.get(packet[0], 1), packet[1:]) if packet else None

    def send(self, typed: bytes) -> None:
        """Write to the container's standard input; nothing where it does not read any more."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while typed:
                self._wire.send(typed[:8192])
                typed = typed[8192:]

    def close_stdin(self) -> None:
        """End the container's standard input."""
        with contextlib.suppress(OSError):
            self._wire.shutdown(socket.SHUT_WR)

    def resize(self, rows: int, columns: int) -> None:
        """Tell the container's terminal its size."""
        with contextlib.suppress(OSError):
            pipe = os.open(self._bundle / "ctl", os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(pipe, f"1 {rows} {columns}\n".encode())
            finally:
                os.close(pipe)


class TerminalRelay:
    """Carries bytes between our descriptors and an attachment until one side ends."""

    def __init__(
        self,
        attachment: AttachConnection,
        *,
        stdin: int | None = 0,
        tty: bool = False,
        on_signal: Callable[[str], None] | None = None,
        write: Callable[[int, bytes], None] | None = None,
    ) -> None:
        """Prepare; ``on_signal`` gets names such as ``SIGINT``, ``write`` a descriptor and bytes."""
        self._attachment = attachment
        self._stdin = stdin
        self._tty = tty
        self._on_signal = on_signal
        self._write = write or _write_all
        self._keys = DetachKeys(DETACH_KEYS if tty else b"")

    def run(self) -> bool:
        """Carry until the container ends, or until the keys that detach: then give True.

        The terminal is as it was afterwards, whatever happens.
        """
        with contextlib.ExitStack() as undo:
            signals = undo.enter_context(_catch_signals(self._signals_to_catch()))
            if self._tty and self._stdin is not None:
                undo.enter_context(raw_mode(self._stdin))
                self._send_size()
            return self._relay(signals)

    def _relay(self, signals: int) -> bool:
        poll = select.poll()
        poll.register(self._attachment, select.POLLIN)
        poll.register(signals, select.POLLIN)
        if self._stdin is not None:
            poll.register(self._stdin, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if signals in ready:
                for number in os.read(signals, 64):
                    self._handle_signal(number)
            if self._stdin in ready:
                typed = _read(self._stdin)
                if not typed:
                    poll.unregister(self._stdin)
                    self._attachment.close_stdin()
                sent, detached = self._keys.filter_input(typed)
                self._attachment.send(sent)
                if detached:
                    return True
            if self._attachment.fileno() in ready:
                packet = self._attachment.receive()
                if packet is None:
                    return False
                self._write(*packet)

    def _signals_to_catch(self) -> list[str]:
        names = [f"SIG{name}" for name in FORWARDED_SIGNALS] if self._on_signal else []
        return [*names, "SIGWINCH"] if self._tty else names

    def _handle_signal(self, number: int) -> None:
        name = signal.Signals(number).name
        if name == "SIGWINCH":
            self._send_size()
        elif self._on_signal:
            self._on_signal(name)

    def _send_size(self) -> None:
        with contextlib.suppress(OSError):
            columns, rows = os.get_terminal_size(self._stdin or 0)
            if rows and columns:
                self._attachment.resize(rows, columns)


@contextlib.contextmanager
def raw_mode(terminal: int) -> Iterator[None]:
    """Put a terminal into raw mode, and back on every way out."""
    import termios
    import tty

    before = termios.tcgetattr(terminal)
    try:
        tty.setraw(terminal)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _catch_signals(names: list[str]) -> Iterator[int]:
    """Catch signals, and give a descriptor from which their numbers are read."""
    readable, writable = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    earlier_fd = signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    earlier: dict[signal.Signals, Any] = {}
    try:
        for name in names:
            number = signal.Signals[name]
            earlier[number] = signal.signal(number, _ignore_signal)
        yield readable
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(earlier_fd)
        os.close(readable)
        os.close(writable)


def _ignore_signal(_number: int, _frame: object) -> None:
    """Take a signal; its number comes through the wake-up descriptor."""


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 8192)
    except OSError:  # the terminal has gone
        return b""


def _write_all(descriptor: int, output: bytes) -> None:
    while output:
        output = output[os.write(descriptor, output) :]
