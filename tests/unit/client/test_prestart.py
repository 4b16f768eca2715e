"""A supervisor is started before its project is known, at most once, and sent away where it is not needed."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cntnr_compose.client import prestart
from cntnr_compose.core import paths
from cntnr_compose.host.children import forks

NO_CHILD = 1 << 30  # a pid that there is not


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[socket.socket]]:
    """Record the supervisors' ends of the sockets, one for each that is started."""
    monkeypatch.setenv("CNTNR_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    ends: list[socket.socket] = []

    def fork_detached(_work: object, *, kept: int, **_: object) -> int:
        ends.append(socket.socket(fileno=socket.dup(kept)))
        return NO_CHILD

    monkeypatch.setattr(forks, "fork_detached", fork_detached)
    yield ends
    prestart.discard()
    for end in ends:
        end.close()


def test_the_one_that_was_started_early_is_taken(started: list[socket.socket]) -> None:
    prestart.start("/srv/shop", {})
    prestart.start("/srv/shop", {})
    assert len(started) == 1
    with prestart.take() as wire:
        assert len(started) == 1
        wire.sendall(b"you are shop's")
        assert started[0].recv(100) == b"you are shop's"


def test_where_none_was_started_early_one_is_started_now(started: list[socket.socket]) -> None:
    with prestart.take():
        assert len(started) == 1


def test_one_that_is_not_needed_is_hung_up_on(started: list[socket.socket]) -> None:
    prestart.start("/srv/shop", {})
    prestart.discard()
    assert started[0].recv(100) == b""


@pytest.mark.parametrize(
    ("cwd", "environ", "name"),
    [
        ("/srv/Shop", {}, ""),
        ("/srv/other", {"COMPOSE_PROJECT_NAME": "shop"}, ""),
        ("/srv/other", {"COMPOSE_PROJECT_NAME": "more"}, "shop"),
        ("/srv/-sh op", {}, ""),
    ],
)
def test_a_project_that_has_one_needs_no_other(
    started: list[socket.socket], cwd: str, environ: dict[str, str], name: str
) -> None:
    served = paths.secure_runtime() / "holder/inside/s/shop.sock"
    served.parent.mkdir(parents=True)
    served.touch()
    prestart.start(cwd, environ, name)
    assert started == []
