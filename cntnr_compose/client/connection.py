"""The supervisor's socket: one JSON value a line, both ways. The commands' side; light."""

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
from cntnr_compose.host import proc
from cntnr_compose.host import socket_peer as peer
from cntnr_compose.model.protocol import (
    OURS,
    ErrorReply,
    EventReply,
    Greeting,
    Ping,
    Reply,
    Request,
    ResultReply,
)

GONE_WITHIN: Seconds = 5
OTHER_VERSION = 76  # the exit status, EX_PROTOCOL of sysexits.h


class SupervisorGone(CntnrError):
    """The supervisor ended while a command talked to it."""

    def __init__(self, log: Path) -> None:
        super().__init__("the project's supervisor ended unexpectedly")
        self.hint = f"run the command again; its last words are in {log}"


class SupervisorNewer(CntnrError):
    """A project is looked after by a newer version, which knows what this one does not."""

    exit_code = OTHER_VERSION

    def __init__(self, project: str, theirs: Greeting, pid: int) -> None:
        super().__init__(
            f"cannot work on project {project}: its supervisor is of a newer version ({theirs}), "
            f"this is {OURS}"
        )
        self.hint = f"use cntnr {theirs.version}"
        if pid:
            self.hint += f"; where that is gone for good, run `kill {pid}`: containers go on"


class SupervisorOlder(CntnrError):
    """A project is looked after by an older version, which does not go."""

    exit_code = OTHER_VERSION

    def __init__(self, project: str, theirs: Greeting) -> None:
        super().__init__(
            f"cannot replace the supervisor of project {project}, which is of an older version "
            f"({theirs}; this is {OURS})"
        )
        self.hint = (
            "end the commands of that version that are at work on the project, then try again"
        )


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

    @property
    def pid(self) -> int:
        """Give the supervisor's pid as this process knows it; 0 where it does not."""
        return peer.peer_pid(self._wire)

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
    def has_buffered_reply(self) -> bool:
        """Emit whether a whole reply was read already, so that select would wait in vain."""
        return b"\n" in self._rest

    def end_peer(self, inside: int) -> bool:
        """End the supervisor at the other end, and no other process; tell whether it is gone.

        ``inside`` is the pid that it says it has in its own namespace, 0 where it did not say.
        Raises `SupervisorGone` where it went before.
        """
        pid = self.pid
        try:
            process = os.pidfd_open(pid)
        except OSError:
            return False
        try:
            # It answers: so this process is the one that listens, not a later one with its pid.
            self.call(Ping(), lambda _event: None)
            if inside and proc.pid_inside(pid) != inside:
                return False
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(process, number)
                if select.select([process], [], [], GONE_WITHIN)[0]:
                    return True
            return False
        finally:
            os.close(process)

    def call(self, request: Request, emit: Emit) -> Tree:
        """Send a request, pass its events on, and give its result.

        Raises `RemoteError` with what went wrong over there, `SupervisorGone`.
        """
        self.send(request)
        return self.answer(emit)

    def answer(self, tell: Emit) -> Tree:
        """Wait for what the last request gives. Raises as `ask` does."""
        while True:
            match self.receive():
                case EventReply(event=event):
                    tell(event)
                case ResultReply(result=result):
                    return result
                case ErrorReply() as failed:
                    raise failed.as_error()


def open_connection(path: Path, log: Path) -> Connection | None:
    """Connect to a supervisor; None where nobody listens. Raises `Stranger`."""
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        wire.connect(str(path))
        peer.check_own_user(wire, path)
    except OSError:
        wire.close()
        return None
    except peer.Stranger:
        wire.close()
        raise
    return Connection(wire, log)
