"""The agent that a RUN gets only lists and signs."""

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cntnr_compose.builder.sources.ssh_sources import SshSource
from cntnr_compose.builder.worker.run.ssh_agent import FAILURE, serve_agent

LIST, SIGN, ADD, REMOVE_ALL, EXTENSION = 11, 13, 17, 19, 27


def ask(connection: socket.socket, message: bytes) -> bytes:
    connection.sendall(struct.pack(">I", len(message)) + message)
    header = connection.recv(4, socket.MSG_WAITALL)
    return connection.recv(struct.unpack(">I", header)[0], socket.MSG_WAITALL) if header else b""


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Path]:
    """Run an agent that answers with the request itself."""
    path = tmp_path / "agent"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def echo(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(4096):
                connection.sendall(data)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=echo, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield path
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def connection(agent: Path, tmp_path: Path) -> Iterator[socket.socket]:
    source = SshSource(id="default", socket=str(agent))
    with (
        serve_agent(source, tmp_path / "served", "Dockerfile:1"),
        socket.socket(socket.AF_UNIX) as client,
    ):
        client.connect(str(tmp_path / "served"))
        client.settimeout(5)
        yield client


def test_it_lists_and_signs(connection: socket.socket) -> None:
    assert ask(connection, bytes([LIST])) == bytes([LIST])
    long = bytes([SIGN]) + b"x" * 9000
    assert ask(connection, long) == long


@pytest.mark.parametrize("request_kind", [ADD, REMOVE_ALL, EXTENSION, 0, 255])
def test_it_does_nothing_else(connection: socket.socket, request_kind: int) -> None:
    assert ask(connection, bytes([request_kind]) + b"data") == FAILURE
    assert ask(connection, bytes([LIST])) == bytes([LIST])


def test_who_sends_too_much_is_cut_off(connection: socket.socket) -> None:
    connection.sendall(struct.pack(">I", 1 << 30))
    assert connection.recv(1) == b""
