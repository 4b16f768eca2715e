"""Calls of a systemd that a thread of the test stands in for."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cntnr_compose.host.systemd import messages
from cntnr_compose.host.systemd.manager import Manager

SIGNAL = 4
Serve = Callable[[bytes], Path]


def message(kind: int, body: bytes = b"") -> bytes:
    return messages.START.pack(ord("l"), kind, 0, 1, len(body), 9, 0) + body


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Serve one connection: greet, and answer the first call."""

    def start(answer: bytes, greeting: bytes = b"OK 1234\r\n") -> Path:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "private"))
        listener.listen()

        def run() -> None:
            with listener, listener.accept()[0] as connection:
                uid = str(os.getuid()).encode().hex().encode()
                assert connection.recv(100) == b"\0AUTH EXTERNAL " + uid + b"\r\nBEGIN\r\n"
                connection.sendall(greeting)
                if connection.recv(1000):
                    connection.sendall(answer)

        threading.Thread(target=run, daemon=True).start()
        return tmp_path / "private"

    return start


@contextlib.contextmanager
def called(path: Path) -> Iterator[Manager]:
    manager = Manager.connect(path)
    assert manager is not None
    with contextlib.closing(manager):
        manager.send("Do", "s", "it")
        yield manager


def test_a_reply_is_found_among_signals(serve: Serve) -> None:
    path = serve(message(SIGNAL, b"abc") + message(messages.RETURN, bytes(8)))
    with called(path) as manager:
        assert manager.receive()
        assert manager.error == ""


def test_an_error_is_kept_in_words(serve: Serve) -> None:
    body = b"\x04\x01s\0org.freedesktop.systemd1.UnitExists\0\0\x01\0Unit x exists.\0"
    with called(serve(message(messages.ERROR, body))) as manager:
        assert not manager.receive()
        assert manager.error == "org.freedesktop.systemd1.UnitExists Unit x exists."


def test_a_manager_that_hangs_up_or_says_nonsense_fails(serve: Serve) -> None:
    with called(serve(b"nonsense of sixteen bytes")) as manager:
        assert not manager.receive()
        assert "no message" in manager.error
        assert not manager.receive()
        assert "disconnected" in manager.error


def test_who_does_not_greet_is_no_manager(tmp_path: Path) -> None:
    assert Manager.connect(tmp_path / "nothing") is None
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "rude"))
    listener.listen()

    def refuse() -> None:
        with listener, listener.accept()[0] as connection:
            connection.sendall(b"REJECTED\r\n")

    threading.Thread(target=refuse, daemon=True).start()
    assert Manager.connect(tmp_path / "rude") is None
