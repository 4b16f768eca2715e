"""A command can wait for a plan and for other things at once."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cntnr_compose.client.client import Client
from cntnr_compose.client.connection import Connection, SupervisorGone
from cntnr_compose.core.errors import CntnrError, ProgramMissing, RemoteError
from cntnr_compose.core.events import Progress
from cntnr_compose.core.values import from_json, to_json
from cntnr_compose.host import proc
from cntnr_compose.model.plan import Plan
from cntnr_compose.model.protocol import ErrorReply, EventReply, ExecutePlan, ResultReply
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
