"""A client reads replies one by one, and replaces a supervisor of an older version, not a newer one."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from cntnr_compose.client import client, connection, prestart
from cntnr_compose.client.client import Client
from cntnr_compose.client.connection import (
    Connection,
    SupervisorGone,
    SupervisorNewer,
    SupervisorOlder,
)
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError, ProgramMissing, RemoteError
from cntnr_compose.core.events import Progress
from cntnr_compose.core.values import from_json, replace, to_json, to_tree
from cntnr_compose.host import proc
from cntnr_compose.host.namespaces import holder
from cntnr_compose.model.plan import Plan
from cntnr_compose.model.protocol import (
    OWN_GREETING,
    ErrorReply,
    EventReply,
    ExecutePlan,
    Greeting,
    Ping,
    Request,
    ResultReply,
    Serve,
)
from cntnr_compose.networks.port_driver import PortTaken

STARTED = Progress(kind="Container", name="web", status="Started")


@pytest.fixture
def connected() -> Iterator[tuple[Client, socket.socket]]:
    our_end, supervisor = socket.socketpair()
    client = Client(Connection(our_end, Path("log")), "shop")
    yield client, supervisor
    client.close()
    supervisor.close()


def test_a_plan_is_asked_for_and_its_events_are_read_one_by_one(
    connected: tuple[Client, socket.socket],
) -> None:
    client, supervisor = connected
    client.start_executing(Plan())
    assert (
        from_json(supervisor.recv(1000), dict)["type"]
        == from_json(to_json(ExecutePlan(plan=Plan())), dict)["type"]
    )
    for reply in (EventReply(event=STARTED), ResultReply()):
        supervisor.send(to_json(reply) + b"\n")
    assert client.next_reply() == STARTED
    assert client.has_buffered_reply  # select would wait in vain
    assert client.next_reply() is None


def test_what_went_wrong_over_there_is_raised_here(connected: tuple[Client, socket.socket]) -> None:
    client, supervisor = connected
    supervisor.send(
        to_json(ErrorReply(error="X", message="it broke", hint="mend it", exit_code=3)) + b"\n"
    )
    with pytest.raises(RemoteError, match="it broke") as raised:
        client.next_reply()
    assert (raised.value.kind, raised.value.hint, raised.value.exit_code) == ("X", "mend it", 3)


def test_a_supervisor_that_is_gone_is_told(connected: tuple[Client, socket.socket]) -> None:
    client, supervisor = connected
    supervisor.close()
    with pytest.raises(SupervisorGone):
        client.next_reply()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (PortTaken("127.0.0.1", 80), "cannot publish port 80 on 127.0.0.1: it is in use by nginx"),
        (
            PortTaken("", 80, "container x"),
            "cannot publish port 80 on 0.0.0.0: it is in use by container x",
        ),
        (ProgramMissing("80"), "cannot find the program 80"),
    ],
)
def test_who_has_a_port_is_told_where_the_supervisor_could_not_know(
    connected: tuple[Client, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
    error: CntnrError,
    expected: str,
) -> None:
    client, supervisor = connected
    monkeypatch.setattr(proc, "find_listener", lambda port: "nginx" if port == 80 else "")
    supervisor.send(to_json(ErrorReply.from_error(error)) + b"\n")
    with pytest.raises(RemoteError) as raised:
        client.next_reply()
    assert str(raised.value) == expected
    assert (raised.value.kind, raised.value.hint) == (error.kind, error.hint)


def test_a_supervisor_that_knows_no_details_is_understood() -> None:
    line = b'{"type":"failed","error":"PortTaken","message":"it is in use"}'
    assert from_json(line, ErrorReply).to_error().details == {}


# ---- supervisors of other versions ----

NEWER, OLDER = replace(OWN_GREETING, version="99.0.0"), replace(OWN_GREETING, version="0.0.9")


class FakeSupervisors:
    """Stand in for the supervisors that a command meets: one that listens, and those that it starts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests: list[str] = []
        self.started = 0
        self.ended = 0
        self._server: socket.socket | None = None
        self._threads: list[threading.Thread] = []
        self.is_slow = False  # another command's supervisor is always quicker than ours

    def listen(self, greeting: Greeting) -> None:
        """Listen like a supervisor of a version."""
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
        """Answer like a supervisor until the command hangs up."""
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
def supervisors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeSupervisors]:
    supervisors = FakeSupervisors(tmp_path / "p.sock")
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
    supervisors: FakeSupervisors,
    start: bool,
) -> None:
    supervisors.listen(OLDER)
    connected_client = client.connect("p", start=start)
    assert connected_client is not None
    connected_client.close()
    expected = ["Ping", "Lock", "new Ping", "end", "new Serve"]
    assert supervisors.requests == expected


def test_a_newer_one_is_left_alone(supervisors: FakeSupervisors) -> None:
    supervisors.listen(NEWER)
    with pytest.raises(SupervisorNewer, match=r"newer version \(cntnr 99\.0\.0") as raised:
        client.connect("p")
    assert raised.value.exit_code == connection.OTHER_VERSION
    assert raised.value.hint.startswith("use cntnr 99.0.0")
    assert f"kill {os.getpid()}" in raised.value.hint
    assert (supervisors.requests, supervisors.started) == (["Ping"], 0)


def test_one_of_the_same_version_is_taken(supervisors: FakeSupervisors) -> None:
    supervisors.listen(OWN_GREETING)
    client.connect("p").close()
    assert (supervisors.requests, supervisors.started) == (["Ping"], 0)


@pytest.mark.parametrize("start", [True, False])
def test_where_there_is_none_one_is_started_if_it_shall_be(
    supervisors: FakeSupervisors,
    start: bool,
) -> None:
    connected_client = client.connect("p", start=start)
    assert (connected_client is not None) == start
    if connected_client is not None:
        connected_client.close()
    assert supervisors.requests == ["new Serve"] * start


def test_where_an_older_one_comes_back_each_time_the_command_gives_up(
    supervisors: FakeSupervisors,
) -> None:
    supervisors.listen(OLDER)
    supervisors.is_slow = True
    with pytest.raises(SupervisorOlder, match="cannot replace") as raised:
        client.connect("p")
    assert raised.value.exit_code == connection.OTHER_VERSION
    assert supervisors.ended == client.MAX_REPLACEMENTS


def test_a_process_that_is_not_the_one_it_says_is_not_ended(tmp_path: Path) -> None:
    supervisors = FakeSupervisors(tmp_path / "p.sock")
    supervisors.listen(replace(OLDER, pid=1))
    running = connection.open_connection(supervisors.path, tmp_path / "log")
    assert running is not None
    assert running.pid == os.getpid()
    assert running.kill_supervisor(1) is False
    running.close()
    supervisors.close()
