"""The commands' side of a supervisor's socket: one JSON value per line, both ways.

Every command imports this module, so it imports little.
"""

import contextlib
import os
import select
import signal
import socket
from pathlib import Path
from typing import cast

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit
from cntnr_compose.core.values import Seconds, Tree, from_json, to_json
from cntnr_compose.host import proc, socket_peer
from cntnr_compose.model.protocol import (
    OWN_GREETING,
    ErrorReply,
    EventReply,
    Greeting,
    Ping,
    Reply,
    Request,
    ResultReply,
)

KILL_TIMEOUT: Seconds = 5
OTHER_VERSION = 76  # exit code, EX_PROTOCOL of sysexits.h


class SupervisorGone(CntnrError):
    """The supervisor exited while a command was connected to it."""

    def __init__(self, log: Path) -> None:
        super().__init__("the project's supervisor ended unexpectedly")
        self.hint = f"run the command again; its last words are in {log}"


class SupervisorNewer(CntnrError):
    """The supervisor of a project is of a newer version, so that this one does not know all it can do."""

    exit_code = OTHER_VERSION

    def __init__(self, project: str, greeting: Greeting, pid: int) -> None:
        super().__init__(
            f"cannot work on project {project}: its supervisor is of a newer version ({greeting}), "
            f"this is {OWN_GREETING}"
        )
        self.hint = f"use cntnr {greeting.version}"
        if pid:
            self.hint += f"; where that is gone for good, run `kill {pid}`: containers go on"


class SupervisorOlder(CntnrError):
    """The supervisor of a project is of an older version, and could not be replaced."""

    exit_code = OTHER_VERSION

    def __init__(self, project: str, greeting: Greeting) -> None:
        super().__init__(
            f"cannot replace the supervisor of project {project}, which is of an older version "
            f"({greeting}; this is {OWN_GREETING})"
        )
        self.hint = (
            "end the commands of that version that are at work on the project, then try again"
        )


class Connection:
    """A connected socket that carries requests and replies."""

    def __init__(self, connected: socket.socket, log: Path) -> None:
        self._socket = connected
        self._log = log
        self._buffer = b""

    def close(self) -> None:
        """Disconnect; the supervisor cancels what it does for us."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def fileno(self) -> int:
        """Return the descriptor, for select."""
        return self._socket.fileno()

    @property
    def pid(self) -> int:
        """The supervisor's pid in our pid namespace; 0 if it has none there."""
        return socket_peer.peer_pid(self._socket)

    def send(self, request: Request) -> None:
        """Send a request. Raises `SupervisorGone`."""
        try:
            self._socket.sendall(to_json(request) + b"\n")
        except OSError as error:
            raise SupervisorGone(self._log) from error

    def receive(self) -> Reply:
        """Wait for the next reply. Raises `SupervisorGone`."""
        while b"\n" not in self._buffer:
            try:
                block = self._socket.recv(1 << 16)
            except OSError as error:
                raise SupervisorGone(self._log) from error
            if not block:
                raise SupervisorGone(self._log)
            self._buffer += block
        line, _, self._buffer = self._buffer.partition(b"\n")
        return from_json(line, cast("type[Reply]", Reply))

    @property
    def has_buffered_reply(self) -> bool:
        """Tell whether a whole reply was read already, so that there is nothing to select for."""
        return b"\n" in self._buffer

    def kill_supervisor(self, pid_inside: int) -> bool:
        """Kill the supervisor at the other end, and no other process; tell whether it is gone.

        ``pid_inside`` is its pid in its own namespace, as it told us; 0 if it did not.
        Raises `SupervisorGone` if it exited before.
        """
        pid = self.pid
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            return False
        try:
            # It replies: so this process is the one that listens, not a later one with its pid.
            self.call(Ping(), lambda _event: None)
            if pid_inside and proc.pid_inside(pid) != pid_inside:
                return False
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(pidfd, number)
                if select.select([pidfd], [], [], KILL_TIMEOUT)[0]:
                    return True
            return False
        finally:
            os.close(pidfd)

    def call(self, request: Request, emit: Emit) -> Tree:
        """Send a request, emit its events, and return its result.

        Raises `RemoteError` if it failed, `SupervisorGone`.
        """
        self.send(request)
        return self.wait_for_result(emit)

    def wait_for_result(self, emit: Emit) -> Tree:
        """Wait for the result of the last request, and emit its events. Raises as `call` does."""
        while True:
            match self.receive():
                case EventReply(event=event):
                    emit(event)
                case ResultReply(result=result):
                    return result
                case ErrorReply() as reply:
                    raise reply.to_error()


def open_connection(path: Path, log: Path) -> Connection | None:
    """Connect to a supervisor; None if none listens there. Raises `Stranger`."""
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connected.connect(str(path))
        socket_peer.check_own_user(connected, path)
    except OSError:
        connected.close()
        return None
    except socket_peer.Stranger:
        connected.close()
        raise
    return Connection(connected, log)
