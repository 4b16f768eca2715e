"""Call the systemd that starts this user's units, by the socket that its own programs use.

It needs no message bus, and nothing starts. root has the system's. Where there is none, one look tells.
"""

import contextlib
import os
import socket
from pathlib import Path
from typing import Any, Self

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Seconds
from cntnr_compose.host import socket_peer
from cntnr_compose.host.systemd import messages

TIMEOUT: Seconds = 10  # a machine that is busy takes half a second
OBJECT, INTERFACE = "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"
MAX_GREETING = 128  # bytes
MAX_MESSAGES = 1000  # that come before a reply: signals of what others do


class Manager:
    """A connection: a call is sent at once, and its reply read when it is needed."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.error = ""  # why the last call failed

    @classmethod
    def connect(cls, path: Path) -> Self | None:
        """Connect; None where there is no systemd."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(TIMEOUT)
        manager = cls(connection)
        try:
            connection.connect(str(path))
            socket_peer.check_own_user(connection, path)
            manager._greet()
        except (OSError, ValueError, CntnrError):
            connection.close()
            return None
        return manager

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()

    def send(self, member: str, signature: str, *values: Any) -> None:
        """Send a call of a method; where that fails, `receive` will."""
        call = messages.encode_call(OBJECT, INTERFACE, member, signature, *values)
        with contextlib.suppress(OSError):
            self._connection.sendall(call)

    def receive(self) -> bool:
        """Read the reply to a call; return whether it was done, and keep the words of an error."""
        try:
            for _ in range(MAX_MESSAGES):
                kind, rest = messages.decode_start(self._read(messages.START.size))
                content = self._read(rest)
                if kind in (messages.RETURN, messages.ERROR):
                    self.error = _describe(content) if kind == messages.ERROR else ""
                    return kind == messages.RETURN
            self.error = "no reply among its messages"
        except (OSError, ValueError) as error:
            self.error = str(error) or "it has disconnected"
        return False

    def _greet(self) -> None:
        """Say who we are, and wait for the answer: systemd would not see a call that comes with it."""
        uid = str(os.getuid()).encode().hex().encode()
        self._connection.sendall(b"\0AUTH EXTERNAL " + uid + b"\r\nBEGIN\r\n")
        line = b""
        while not line.endswith(b"\r\n") and len(line) < MAX_GREETING:
            line += self._read(1)
        if not line.startswith(b"OK "):
            raise messages.NotUnderstood(line.decode(errors="replace").strip())

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            block = self._connection.recv(size - len(data))
            if not block:
                raise ConnectionResetError
            data += block
        return data


def _describe(content: bytes) -> str:
    """Return the words of an error: its name and its message, both printable."""
    words = "".join(chr(byte) if 32 <= byte < 127 else "\n" for byte in content).split("\n")
    return " ".join(word for word in words if len(word) > 5)
