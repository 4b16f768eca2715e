"""Attach our terminal or pipes to a container, through the socket that conmon listens on.

Each packet from conmon starts with a byte that names the stream. What we send is the container's standard
input, and shutting down our side of the socket ends it.
"""

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Protocol

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Seconds
from cntnr_compose.host import socket_peer

CONTROL_TIMEOUT: Seconds = 0.5  # until conmon reads what it is to do
STREAMS = {2: 1, 3: 2}  # conmon's number: our descriptor
MAX_PACKET_SIZE = 1 << 16  # conmon's are at most 8 KiB and a byte
DETACH_KEYS = b"\x10\x11"  # ctrl-p, ctrl-q
CONTROL_KEYS = "@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_"  # ctrl- and these are the bytes from 0 on
FORWARDED_SIGNALS = ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "CONT", "TSTP")


class DetachKeysInvalid(CntnrError):
    """The keys that are to detach cannot be read."""

    hint = "they are letters, or ctrl- and a letter or one of @ [ \\ ] ^ _, with commas between"

    def __init__(self, text: str) -> None:
        super().__init__(f"invalid detach keys: {text}")


def parse_detach_keys(text: str) -> bytes:
    """Parse keys such as ``ctrl-p,ctrl-q`` or ``x``. Raises `DetachKeysInvalid`."""
    keys = bytearray()
    for word in text.split(","):
        name = word.removeprefix("ctrl-")
        code = ord(name) if len(name) == 1 and name.isascii() else 0
        if name != word:
            code = ord(name.upper()) - 64 if code and name.upper() in CONTROL_KEYS else -1
            if code < 0:
                raise DetachKeysInvalid(text)
        elif not code:
            raise DetachKeysInvalid(text)
        keys.append(code)
    return bytes(keys)


class CannotAttach(CntnrError):
    """A container's socket is gone: the container has ended, or was never started."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"cannot attach to container {name}: {why}")


class DetachKeys:
    """Find the keys that detach in typed input; they may be spread over several reads."""

    def __init__(self, keys: bytes = DETACH_KEYS) -> None:
        self._keys = keys
        self._matched = 0

    def filter_input(self, typed: bytes) -> tuple[bytes, bool]:
        """Return what is to be sent on, and whether the keys are complete."""
        passed = bytearray()
        for byte in typed:
            if self._keys and byte == self._keys[self._matched]:
                self._matched += 1
                if self._matched == len(self._keys):
                    self._matched = 0
                    return bytes(passed), True
                continue
            passed += self._keys[: self._matched]  # not the detach keys: send what was held back
            self._matched = 0
            if self._keys and byte == self._keys[0]:
                self._matched = 1
            else:
                passed.append(byte)
        return bytes(passed), False


class RelayConnection(Protocol):
    """The other end of a relay: streams of a container or of a process in it."""

    def fileno(self) -> int:
        """Return a descriptor that can be read when `receive` has something to return."""
        ...

    def receive(self) -> tuple[int, bytes] | None:
        """Return the next output as our descriptor and bytes; None at the end."""
        ...

    def send(self, typed: bytes) -> None:
        """Write to standard input."""
        ...

    def close_stdin(self) -> None:
        """End standard input."""
        ...

    def resize(self, rows: int, columns: int) -> None:
        """Set the size of the terminal."""
        ...


class AttachConnection:
    """A connection to a container's standard streams."""

    def __init__(self, bundle: Path, name: str) -> None:
        """Connect. Raises `CannotAttach`."""
        self._bundle = bundle
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._socket.connect(str(bundle / "attach"))
            socket_peer.check_own_user(self._socket, bundle / "attach")
        except OSError as error:
            self._socket.close()
            raise CannotAttach(name, error.strerror or str(error)) from error
        except socket_peer.Stranger:
            self._socket.close()
            raise

    def close(self) -> None:
        """Disconnect; the container goes on."""
        self._socket.close()

    def fileno(self) -> int:
        """Return the descriptor, for select."""
        return self._socket.fileno()

    def receive(self) -> tuple[int, bytes] | None:
        """Return the next output as our descriptor and bytes; None if the container has ended."""
        try:
            packet = self._socket.recv(MAX_PACKET_SIZE)
        except ConnectionResetError:
            return None
        return (STREAMS.get(packet[0], 1), packet[1:]) if packet else None

    def send(self, typed: bytes) -> None:
        """Write to the container's standard input; ignored if it does not read any more."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while typed:
                self._socket.send(typed[:8192])
                typed = typed[8192:]

    def close_stdin(self) -> None:
        """Close the container's standard input."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def resize(self, rows: int, columns: int) -> None:
        """Set the size of the container's terminal."""
        with contextlib.suppress(OSError):
            pipe = os.open(self._bundle / "ctl", os.O_WRONLY | os.O_NONBLOCK)
            try:
                _wait_until_read(pipe)
                os.write(pipe, f"1 {rows} {columns}\n".encode())
            finally:
                os.close(pipe)


class TerminalRelay:
    """Relay bytes between our descriptors and a container until one side ends."""

    def __init__(
        self,
        connection: RelayConnection,
        *,
        stdin: int | None = 0,
        tty: bool = False,
        detach_keys: bytes = DETACH_KEYS,
        closes_stdin: bool = True,
        streams: Collection[int] = (1, 2),
        on_signal: Callable[[str], None] | None = None,
        write: Callable[[int, bytes], None] | None = None,
    ) -> None:
        """Store the ends; ``on_signal`` gets names such as ``SIGINT``, ``write`` a descriptor and bytes.

        Output for descriptors that are not among the ``streams`` is dropped.

        The end of our input ends the container's only where ``closes_stdin``; keys detach on a terminal.
        """
        self._connection = connection
        self._stdin = stdin
        self._tty = tty
        self._on_signal = on_signal
        self._write = write or write_all
        self._closes_stdin = closes_stdin
        self._streams = streams
        self._keys = DetachKeys(detach_keys if tty else b"")

    def run(self) -> bool:
        """Relay until the container ends, or until the detach keys are typed: then return True.

        The terminal's mode is restored, whatever happens.
        """
        with contextlib.ExitStack() as undo:
            signals = undo.enter_context(catch_signals(self._signals_to_catch()))
            if self._tty and self._stdin is not None:
                undo.enter_context(raw_mode(self._stdin))
                self.send_size()
            return self._relay(signals)

    def _relay(self, signals: int) -> bool:
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        poll.register(signals, select.POLLIN)
        if self._stdin is not None:
            poll.register(self._stdin, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if signals in ready:
                for number in os.read(signals, 64):
                    self._handle_signal(number)
            if self._stdin in ready:
                typed = read_typed(self._stdin)
                if not typed:
                    poll.unregister(self._stdin)
                    if self._closes_stdin:
                        self._connection.close_stdin()
                passed, detached = self._keys.filter_input(typed)
                self._connection.send(passed)
                if detached:
                    return True
            if self._connection.fileno() in ready:
                packet = self._connection.receive()
                if packet is None:
                    return False
                if packet[0] in self._streams:
                    self._write(*packet)

    def _signals_to_catch(self) -> list[str]:
        names = [f"SIG{name}" for name in FORWARDED_SIGNALS] if self._on_signal else []
        return [*names, "SIGWINCH"] if self._tty else names

    def _handle_signal(self, number: int) -> None:
        name = signal.Signals(number).name
        if name == "SIGWINCH":
            self.send_size()
        elif self._on_signal:
            self._on_signal(name)

    def send_size(self) -> None:
        """Give the terminal at the other end the size of ours."""
        with contextlib.suppress(OSError):
            columns, rows = os.get_terminal_size(self._stdin or 0)
            if rows and columns:
                self._connection.resize(rows, columns)


def _wait_until_read(pipe: int) -> None:
    """Wait until conmon has read what was written before: of two lines at once it obeys the first twice."""
    import fcntl
    import termios

    end = time.monotonic() + CONTROL_TIMEOUT
    while any(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))) and time.monotonic() < end:
        time.sleep(0.001)


@contextlib.contextmanager
def raw_mode(terminal: int) -> Iterator[None]:
    """Put a terminal into raw mode, and restore its mode at the end of the block."""
    import termios
    import tty

    mode = termios.tcgetattr(terminal)
    try:
        tty.setraw(terminal)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, mode)


@contextlib.contextmanager
def catch_signals(names: list[str]) -> Iterator[int]:
    """Catch signals, and yield a descriptor from which their numbers are read."""
    readable, writable = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    previous_fd = signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    previous_handlers: dict[signal.Signals, Any] = {}
    try:
        for name in names:
            number = signal.Signals[name]
            previous_handlers[number] = signal.signal(number, _ignore_signal)
        yield readable
    finally:
        for number, handler in previous_handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(previous_fd)
        os.close(readable)
        os.close(writable)


def _ignore_signal(_number: int, _frame: object) -> None:
    """Handle a signal by doing nothing; its number comes through the wake-up descriptor."""


def read_typed(descriptor: int) -> bytes:
    """Read what there is of our input; empty at its end."""
    try:
        return os.read(descriptor, 8192)
    except OSError:  # the terminal has gone
        return b""


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of some output."""
    while data:
        data = data[os.write(descriptor, data) :]
