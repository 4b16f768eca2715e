"""Run the processes of plain `exec`s: commands hand over their streams, and are told the exit code.

A socket of its own, since descriptors come with its messages, which asyncio's streams would drop.
"""

import asyncio
import contextlib
import os
import socket
from pathlib import Path

from cntnr_compose.containers.exec import start_exec
from cntnr_compose.containers.runtime import oci_runtime
from cntnr_compose.containers.state.container_state import ContainerState
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import from_json, to_json
from cntnr_compose.host import process, socket_peer
from cntnr_compose.host.children.spawn import OF_TERMINALS, Child
from cntnr_compose.model.protocol import HandedExec, HandedExecEnd
from cntnr_compose.model.version import HANDED_VERSION

MAX_MESSAGE = 1 << 20  # bytes; the kernel allows less
STREAMS = 3


class ExecServer:
    """The socket of one project."""

    def __init__(self, context: ProjectContext) -> None:
        self._context = context
        self._tasks: set[asyncio.Task[None]] = set()

    def listen(self, path: Path) -> contextlib.ExitStack:
        """Listen from now on; return what ends that, but for the removal of the socket's file."""
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        with process.umask(0o077):
            listening.bind(str(path))
        listening.listen()
        loop = asyncio.get_running_loop()
        loop.add_reader(listening, self._accept, listening)
        undo = contextlib.ExitStack()
        undo.callback(listening.close)
        undo.callback(loop.remove_reader, listening)
        return undo

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):  # it may have hung up meanwhile
            connection, _ = listening.accept()
            task = asyncio.create_task(self._serve(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: socket.socket) -> None:
        """Serve one command, until its process has ended."""
        with connection:
            connection.settimeout(0)
            if not socket_peer.is_own_user(connection):
                return
            await _wait_until_readable(connection)
            child = self._start(connection)
            if child is not None:
                await _pass_on_signals(child, connection)
                return
            with contextlib.suppress(OSError):  # it may have hung up
                connection.send(to_json(HandedExecEnd()))

    def _start(self, connection: socket.socket) -> Child | None:
        """Read a request and start its process; None where that is for the ordinary way."""
        message, streams, _, _ = socket.recv_fds(
            connection, MAX_MESSAGE, STREAMS, socket.MSG_CMSG_CLOEXEC
        )
        try:
            if len(streams) != STREAMS:
                return None
            request = from_json(message, HandedExec)
            container = self._find(request)
            if container is None or _keeps_terminal(container, streams):
                return None
            return start_exec(
                self._context,
                container.record,
                request.process,
                (streams[0], streams[1], streams[2]),
                connection.fileno(),
            )
        except (CntnrError, OSError, ValueError):  # the ordinary way says what is wrong
            return None
        finally:
            for descriptor in streams:
                os.close(descriptor)

    def _find(self, request: HandedExec) -> ContainerState | None:
        """Find the container of a request of our version, where it runs."""
        if (request.version, request.project) != (HANDED_VERSION, self._context.project):
            return None
        container = self._context.containers.get(request.process.container)
        if container is None or container.status.state != "running":
            return None
        return container


def _keeps_terminal(container: ContainerState, streams: list[int]) -> bool:
    """Tell whether a program would get a terminal of the machine itself: crun relays nothing."""
    return any(map(os.isatty, streams)) and oci_runtime.is_crun(container.record.runtime)


async def _wait_until_readable(file: socket.socket | Child) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(file, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(file)


async def _pass_on_signals(child: Child, connection: socket.socket) -> None:
    """Pass on signals to a process until it ends."""
    loop = asyncio.get_running_loop()

    def pass_on() -> None:
        try:
            message = connection.recv(MAX_MESSAGE)
        except OSError:
            message = b""
        if not message:  # the command is gone; the process goes on, as with docker
            loop.remove_reader(connection)
        elif message[0] in OF_TERMINALS:
            child.signal_group(message[0])

    loop.add_reader(connection, pass_on)
    try:
        await _wait_until_readable(child)
    finally:
        loop.remove_reader(connection)
    child.wait()
