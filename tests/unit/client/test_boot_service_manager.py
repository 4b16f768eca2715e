"""What a service manager is told, and what of a program's messages is passed on."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cntnr_compose.client.boot import service_manager
from cntnr_compose.client.boot.service_manager import ManagerUnreachable, NotifyRelay
from cntnr_compose.core.events import Event, WarningEvent

Manager = socket.socket


@pytest.fixture(params=["path", "abstract"])
def manager(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Manager]:
    """Listen as a service manager does."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@cntnr-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name.replace("@", "\0"))
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield listening


def test_readiness_comes_as_one_message(manager: Manager) -> None:
    events: list[Event] = []
    service_manager.tell_ready("all\nrun", events.append)
    assert manager.recv(4096).decode() == f"READY=1\nSTATUS=all run\nMAINPID={os.getpid()}\n"
    service_manager.tell_ready("x", events.append, 7)
    assert b"MAINPID=7\n" in manager.recv(4096)
    service_manager.tell_stopping()
    assert b"STOPPING=1\n" in manager.recv(4096)
    assert events == []


def test_nobody_is_told_where_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not service_manager.is_there()
    service_manager.tell("READY=1")


@pytest.mark.parametrize("name", ["/no/such/socket", "relative", "@nobody", "/" + "x" * 200])
def test_a_manager_that_is_not_there_is_a_warning(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    events: list[Event] = []
    service_manager.tell_ready("x", events.append)
    (event,) = events
    assert isinstance(event, WarningEvent)
    assert f"cannot tell the service manager at {name}: " in event.text
    service_manager.tell_stopping()
    with pytest.raises(ManagerUnreachable):
        service_manager.tell("X=1")


def test_messages_of_a_program_are_passed_on_without_pids(manager: Manager, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 40)  # longer than the path of a socket may be
    folder.mkdir()
    relay = NotifyRelay(folder)
    with contextlib.closing(relay), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as program:
        relay.start(print)
        descriptor = os.open(folder, os.O_PATH)
        program.connect(f"/proc/self/fd/{descriptor}/notify.sock")
        os.close(descriptor)
        for message in (b"\xff\0\n", b"MAINPID=1\nFDSTORE=1", b"STATUS=loading\nMAINPID=1"):
            program.send(message)
        assert manager.recv(4096) == b"STATUS=loading\n"
        assert not relay.is_ready.is_set()
        program.send(b"READY=1\nNOTIFYACCESS=all\nMAINPID=1\n")
        assert manager.recv(4096).decode() == f"READY=1\nMAINPID={os.getpid()}\n"
        assert relay.is_ready.wait(5)
    assert not list(folder.iterdir())
