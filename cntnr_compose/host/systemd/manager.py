"""Call the systemd that starts this user's units, by the socket that its own programs use.

It needs no message bus, and nothing starts. root has the system's. Where there is none, one look tells.
"""

import contextlib
import socket
import struct
from pathlib import Path
from typing import Any, Self

from jeepney import DBusAddress, HeaderFields, Message, MessageType, Parser, new_method_call
from jeepney.auth import BEGIN, Authenticator

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Seconds
from cntnr_compose.host import socket_peer

TIMEOUT: Seconds = 10  # a machine that is busy takes half a second
NAME = "org.freedesktop.systemd1"
ADDRESS = DBusAddress("/org/freedesktop/systemd1", bus_name=NAME, interface=f"{NAME}.Manager")
MAX_SIZE = 1 << 20  # bytes of a message that are read; a hundred are usual
MAX_MESSAGES = 1000  # that come before a reply: signals of what others do
# What the parser raises where bytes are none of D-Bus.
NO_MESSAGE = (ValueError, LookupError, AssertionError, RecursionError, struct.error)


class Manager:
    """A connection: a call is sent at once, and its reply read when it is needed."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._parser = Parser()
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
        """Send a call of a method; where that fails, `receive` will. A variant is its signature and value."""
        call = new_method_call(ADDRESS, member, signature, values)
        with contextlib.suppress(OSError):
            self._connection.sendall(call.serialise(serial=1))

    def receive(self) -> bool:
        """Read the reply to a call; return whether it was done, and keep the words of an error."""
        try:
            for _ in range(MAX_MESSAGES):
                message = self._read_message()
                kind = message.header.message_type
                if kind in (MessageType.method_return, MessageType.error):
                    self.error = _describe(message) if kind == MessageType.error else ""
                    return not self.error
            self.error = "no reply among its messages"
        except OSError as error:
            self.error = str(error) or "it has disconnected"
        except NO_MESSAGE:
            self.error = "it sent what is no message of D-Bus"
        return False

    def _greet(self) -> None:
        """Say who we are, and wait for the answer: systemd would not see a call that comes with it."""
        greeting = Authenticator()
        self._connection.sendall(greeting.data_to_send() + BEGIN)
        while not greeting.authenticated:
            greeting.feed(self._read(1))  # signals may follow its line

    def _read_message(self) -> Message:
        while (message := self._parser.get_next_message()) is None:
            size = self._parser.bytes_desired()
            if size > MAX_SIZE:
                raise ValueError(size)
            self._parser.add_data(self._read(size))
        return message

    def _read(self, size: int) -> bytes:
        data = self._connection.recv(size)
        if not data:
            raise ConnectionResetError
        return data


def _describe(error: Message) -> str:
    """Return the words of an error: its name and its message, both printable."""
    words = " ".join((str(error.header.fields.get(HeaderFields.error_name)), *map(str, error.body)))
    return "".join(letter if letter.isprintable() else " " for letter in words)
