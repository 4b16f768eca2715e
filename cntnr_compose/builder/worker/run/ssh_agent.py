"""Serve an SSH agent to the program of a RUN: it may list keys and have data signed, and nothing else.

The requests are those of the SSH agent protocol (draft-miller-ssh-agent). Where keys were named instead of an
agent, ssh-agent holds them as long as the program runs.
"""

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.builder.sources.ssh_sources import SshSource
from cntnr_compose.core.errors import CntnrError, CommandFailed, ProgramMissing
from cntnr_compose.core.values import Bytes, Seconds
from cntnr_compose.host import process

ALLOWED_REQUESTS = (11, 13)  # list identities, sign
FAILURE = b"\x05"
MAX_MESSAGE: Bytes = 256 << 10  # as ssh-agent itself has it
MAX_CONNECTIONS = 32
AGENT_START_TIMEOUT: Seconds = 5


class AgentFailed(CntnrError):
    """The keys of a build cannot be used."""

    def __init__(self, where: str, name: str, why: str, hint: str = "") -> None:
        super().__init__(f"{where}: cannot use the ssh key {name}: {why}")
        self.hint = hint


@contextlib.contextmanager
def serve_agent(source: SshSource, path: Path, where: str) -> Iterator[None]:
    """Serve an agent at the socket ``path`` as long as the block runs. Raises `AgentFailed`."""
    with contextlib.ExitStack() as undo:
        agent = source.socket or undo.enter_context(_key_agent(source, path, where))
        listener = undo.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(path))
        listener.listen(MAX_CONNECTIONS)
        undo.callback(listener.shutdown, socket.SHUT_RDWR)  # ends the thread
        threading.Thread(target=_accept, args=(listener, agent), daemon=True).start()
        yield


@contextlib.contextmanager
def _key_agent(source: SshSource, path: Path, where: str) -> Iterator[str]:
    """Run ssh-agent with the keys of a source; yield its socket."""
    address = path.with_name(f"{path.name}-agent")
    null = Path(os.devnull)
    try:
        with null.open("r+b") as nothing:
            descriptor = nothing.fileno()
            running = process.popen(
                ["ssh-agent", "-D", "-a", str(address)],
                stdin=descriptor, stdout=descriptor, stderr=descriptor,
            )  # fmt: skip
    except ProgramMissing as error:
        raise AgentFailed(where, source.id, "there is no ssh-agent here", error.hint) from error
    try:
        deadline = time.monotonic() + AGENT_START_TIMEOUT
        while not address.is_socket() and time.monotonic() < deadline:
            time.sleep(0.01)
        env = process.base_env(SSH_AUTH_SOCK=str(address), SSH_ASKPASS_REQUIRE="never")
        process.run(["ssh-add", "-q", "--", *source.keys], env=env)
        yield str(address)
    except CommandFailed as error:
        lines = error.stderr.strip().splitlines() or ["ssh-add failed"]
        hint = "a key with a passphrase has to be in an agent: `ssh-add`, then `--ssh default`"
        raise AgentFailed(where, source.id, lines[-1], hint) from error
    finally:
        running.kill()
        running.wait()


def _accept(listener: socket.socket, agent: str) -> None:
    """Serve connections until the listener is closed."""
    slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
    while True:
        slots.acquire()
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, agent, slots), daemon=True).start()


def _serve(connection: socket.socket, agent: str, slots: threading.BoundedSemaphore) -> None:
    """Answer the requests of one connection."""
    with connection, socket.socket(socket.AF_UNIX) as upstream, contextlib.suppress(OSError):
        upstream.connect(agent)
        while request := _read_message(connection):
            if request[0] in ALLOWED_REQUESTS:
                _write_message(upstream, request)
                answer = _read_message(upstream)
            else:
                answer = FAILURE
            if not answer:
                break
            _write_message(connection, answer)
    slots.release()


def _read_message(connection: socket.socket) -> bytes:
    """Read one message; empty at the end, or where it is too long."""
    header = _read_exactly(connection, 4)
    if len(header) < 4:
        return b""
    (size,) = struct.unpack(">I", header)
    if not 0 < size <= MAX_MESSAGE:
        return b""
    message = _read_exactly(connection, size)
    return message if len(message) == size else b""


def _read_exactly(connection: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size and (part := connection.recv(size - len(content))):
        content += part
    return content


def _write_message(connection: socket.socket, message: bytes) -> None:
    connection.sendall(struct.pack(">I", len(message)) + message)
