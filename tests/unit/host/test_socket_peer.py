"""Nothing is said to a socket on which another user listens."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cntnr_compose.client import connection
from cntnr_compose.host import socket_peer


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "shop.sock"
    with socket.socket(socket.AF_UNIX) as wire:
        wire.bind(str(path))
        wire.listen()
        yield path


def test_our_own_socket_is_dialled(served: Path) -> None:
    opened = connection.open_connection(served, Path("log"))
    assert opened is not None
    opened.close()


def test_another_user_s_socket_is_hung_up_on(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    another_uid = os.getuid() + 1
    monkeypatch.setattr(socket_peer.os, "getuid", lambda: another_uid)
    with pytest.raises(socket_peer.Stranger, match=f"cannot trust the socket {served}"):
        connection.open_connection(served, Path("log"))


def test_where_nobody_listens_there_is_no_connection(tmp_path: Path) -> None:
    assert connection.open_connection(tmp_path / "none.sock", Path("log")) is None
