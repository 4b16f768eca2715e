"""The supervisor's socket: one JSON value a line, both ways. The commands' side; light."""

import contextlib
import socket
from pathlib import Path
from typing import cast

from cntnr_compose.core.errors import CntnrError, RemoteError
from cntnr_compose.core.events import Emit
from cntnr_compose.core.values import Tree, from_json, to_json
from cntnr_compose.host import socket_peer as peer
from cntnr_compose.model.protocol import Done, Failed, Reply, Request, Told


class SupervisorGone(CntnrError):
    """The supervisor ended while a command talked to it."""

    def __init__(self, log: Path) -> None:
        super().__init__("the project's supervisor ended unexpectedly")
        self.hint = f"run the command again; its last words are in {log}"


class Connection:
    """A connected socket that carries messages."""

    def __init__(self, wire: socket.socket, log: Path) -> None:
        self._wire = wire
        self._log = log
        self._rest = b""

    def close(self) -> None:
        """Hang up; what the supervisor does for us is cancelled."""
        with contextlib.suppress(OSError):
            self._wire.shutdown(socket.SHUT_RDWR)
        self._wire.close()

    def fileno(self) -> int:
        """Give the descriptor, for select."""
        return self._wire.fileno()

    def send(self, request: Request) -> None:
        """Send a request. Raises `SupervisorGone`."""
        try:
            self._wire.sendall(to_json(request) + b"\n")
        except OSError as error:
            raise SupervisorGone(self._log) from error

    def receive(self) -> Reply:
        """Wait for the next reply. Raises `SupervisorGone`."""
        while b"\n" not in self._rest:
            try:
                part = self._wire.recv(1 << 16)
            except OSError as error:
                raise SupervisorGone(self._log) from error
            if not part:
                raise SupervisorGone(self._log)
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\n")
        return from_json(line, cast("type[Reply]", Reply))

    @property
    def has_more(self) -> bool:
        """Emit whether a whole reply was read already, so that select would wait in vain."""
        return b"\n" in self._rest

    def ask(self, request: Request, tell: Emit) -> Tree:
        """Send a request, pass its events on, and give its result.

        Raises `RemoteError` with what went wrong over there, `SupervisorGone`.
        """
        self.send(request)
        while True:
            match self.receive():
                case Told(event=event):
                    tell(event)
                case Done(result=result):
                    return result
                case Failed() as failed:
                    raise RemoteError(failed.error, failed.message, failed.hint, failed.exit_code)


def dial(path: Path, log: Path) -> Connection | None:
    """Connect to a supervisor; None where nobody listens. Raises `Stranger`."""
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        wire.connect(str(path))
        peer.check(wire, path)
    except OSError:
        wire.close()
        return None
    except peer.Stranger:
        wire.close()
        raise
    return Connection(wire, log)
