"""A command replaces a supervisor of an older version, and leaves one of a newer version alone."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from cntnr_compose.client import client, connection, prestart
from cntnr_compose.client.connection import Connection, SupervisorNewer, SupervisorOlder
from cntnr_compose.core import paths
from cntnr_compose.core.values import from_json, replace, to_json, to_tree
from cntnr_compose.host.namespaces import holder
from cntnr_compose.model.protocol import OWN_GREETING, Greeting, Ping, Request, ResultReply, Serve

NEWER, OLDER = replace(OWN_GREETING, version="99.0.0"), replace(OWN_GREETING, version="0.0.9")


class Supervisors:
    """Stand-ins for the supervisors that a command meets: one that listens, and those that it starts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests: list[str] = []
        self.started = 0
        self.ended = 0
        self._server: socket.socket | None = None
        self._threads: list[threading.Thread] = []
        self.is_slow = False  # another command's supervisor is always quicker than ours

    def listen(self, greeting: Greeting) -> None:
        """Listen as a supervisor of a version."""
        self._server = server = socket.socket(socket.AF_UNIX)
        server.bind(str(self.path))
        server.listen()

        def serve() -> None:
            with server, contextlib.suppress(OSError):  # it was shut down
                while True:
                    self.answer(server.accept()[0], greeting)

        self._run(serve)

    def _run(self, work: Callable[[], None]) -> None:
        self._threads.append(threading.Thread(target=work))
        self._threads[-1].start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def take(self) -> socket.socket:
        self.started += 1
        our_end, their_end = socket.socketpair()
        self._run(lambda: self.answer(their_end, OWN_GREETING, "new "))
        return our_end

    def answer(self, connected: socket.socket, greeting: Greeting, name: str = "") -> None:
        """Answer as a supervisor does, until the command hangs up."""
        with connected, connected.makefile("rb") as lines:
            for line in lines:
                request = from_json(line, cast("type[Request]", Request))
                self.requests.append(name + type(request).__name__)
                taken = {"taken": self.is_slow} if isinstance(request, Serve) else {}
                result = to_tree(greeting) if isinstance(request, Ping) else taken
                connected.sendall(to_json(ResultReply(result=result)) + b"\n")

    def end(self, _inside: int) -> bool:
        self.ended += 1
        self.requests.append("end")
        if not self.is_slow:
            self.path.unlink()
        return True


@pytest.fixture
def supervisors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Supervisors]:
    supervisors = Supervisors(tmp_path / "p.sock")
    monkeypatch.setattr(paths, "supervisor_socket", lambda _project: supervisors.path)
    monkeypatch.setattr(paths, "supervisor_log", lambda _project: tmp_path / "log")
    monkeypatch.setattr(paths, "supervisor_logs", lambda: tmp_path)
    monkeypatch.setattr(holder, "proc_root_path", lambda path: path)
    monkeypatch.setattr(prestart, "take", supervisors.take)
    monkeypatch.setattr(Connection, "kill_supervisor", lambda _, inside: supervisors.end(inside))
    yield supervisors
    supervisors.close()


@pytest.mark.parametrize("start", [True, False])
def test_an_older_one_is_ended_in_our_turn_when_the_next_one_is_ready(
    supervisors: Supervisors,
    start: bool,
) -> None:
    supervisors.listen(OLDER)
    connected_client = client.connect("p", start=start)
    assert connected_client is not None
    connected_client.close()
    expected = ["Ping", "Lock", "new Ping", "end", "new Serve"]
    assert supervisors.requests == expected


def test_a_newer_one_is_left_alone(supervisors: Supervisors) -> None:
    supervisors.listen(NEWER)
    with pytest.raises(SupervisorNewer, match=r"newer version \(cntnr 99\.0\.0") as raised:
        client.connect("p")
    assert raised.value.exit_code == connection.OTHER_VERSION
    assert raised.value.hint.startswith("use cntnr 99.0.0")
    assert f"kill {os.getpid()}" in raised.value.hint
    assert (supervisors.requests, supervisors.started) == (["Ping"], 0)


def test_one_of_the_same_version_is_taken(supervisors: Supervisors) -> None:
    supervisors.listen(OWN_GREETING)
    client.connect("p").close()
    assert (supervisors.requests, supervisors.started) == (["Ping"], 0)


@pytest.mark.parametrize("start", [True, False])
def test_where_there_is_none_one_is_started_if_it_shall_be(
    supervisors: Supervisors,
    start: bool,
) -> None:
    connected_client = client.connect("p", start=start)
    assert (connected_client is not None) == start
    if connected_client is not None:
        connected_client.close()
    assert supervisors.requests == ["new Serve"] * start


def test_where_an_older_one_comes_back_each_time_the_command_gives_up(
    supervisors: Supervisors,
) -> None:
    supervisors.listen(OLDER)
    supervisors.is_slow = True
    with pytest.raises(SupervisorOlder, match="cannot replace") as raised:
        client.connect("p")
    assert raised.value.exit_code == connection.OTHER_VERSION
    assert supervisors.ended == client.MAX_REPLACEMENTS


def test_a_process_that_is_not_the_one_it_says_is_not_ended(tmp_path: Path) -> None:
    supervisors = Supervisors(tmp_path / "p.sock")
    supervisors.listen(replace(OLDER, pid=1))
    running = connection.open_connection(supervisors.path, tmp_path / "log")
    assert running is not None
    assert running.pid == os.getpid()
    assert running.kill_supervisor(1) is False
    running.close()
    supervisors.close()
