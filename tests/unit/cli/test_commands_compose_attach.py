"""`attach` selects a container, and relays."""

from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.client import attach as relays
from cntnr_compose.core.events import ContainerEvent
from cntnr_compose.host.namespaces import holder
from tests.unit.cli.conftest import FakeClient, FakeSupervisor, Run
from tests.unit.cli.factories import container, service


class FakeRelay:
    """Record how a relay was made; end at once."""

    arguments: dict[str, Any] = {}
    detached = False

    def __init__(self, _connection: object, **arguments: Any) -> None:
        FakeRelay.arguments = arguments

    def run(self) -> bool:
        return FakeRelay.detached


class FakeConnection:
    def __init__(self, _bundle: Path, name: str) -> None:
        self.name = name

    def close(self) -> None:
        pass


@pytest.fixture
def relayed(shop: FakeSupervisor, monkeypatch: pytest.MonkeyPatch) -> FakeSupervisor:
    """Attach to fakes; the container then ends with 7, started again by its policy."""
    monkeypatch.setattr(relays, "TerminalRelay", FakeRelay)
    monkeypatch.setattr(relays, "AttachConnection", FakeConnection)
    monkeypatch.setattr(holder, "proc_root_path", lambda path: path)
    web = container("web", definition=service("web", stdin_open=True))
    shop.containers = [
        web,
        container("db", state="paused"),
        container("tty", definition=service("tty", tty=True)),
    ]
    events = [
        ContainerEvent(
            action=action, time=1, id=identity, name="x", service="web", attributes=attributes
        )
        for action, identity, attributes in (
            ("die", "another", {"exitCode": "1"}),
            ("start", web.record.id, {}),
            ("die", web.record.id, {"exitCode": "7"}),
        )
    ]
    monkeypatch.setattr(FakeClient, "subscribe", lambda _self, _request: None, raising=False)
    monkeypatch.setattr(
        FakeClient, "next_event", lambda _self: events.pop(0) if events else None, raising=False
    )
    FakeRelay.detached = False
    return shop


def test_the_code_is_that_of_the_containers_end(compose: Run, relayed: FakeSupervisor) -> None:
    result = compose("attach", "web")
    assert (result.code, result.out) == (7, "")
    assert FakeRelay.arguments["stdin"] == 0
    assert FakeRelay.arguments["closes_stdin"] is False
    assert FakeRelay.arguments["detach_keys"] == relays.DETACH_KEYS
    FakeRelay.arguments["on_signal"]("SIGTERM")
    assert "SIGTERM" in relayed.plans[0]


def test_options_of_the_relay(compose: Run, relayed: FakeSupervisor) -> None:
    compose("attach", "--no-stdin", "--sig-proxy=false", "--detach-keys", "ctrl-a", "web")
    assert FakeRelay.arguments["stdin"] is None
    assert FakeRelay.arguments["on_signal"] is None
    assert FakeRelay.arguments["detach_keys"] == b"\x01"


def test_who_detaches_is_told_so(compose: Run, relayed: FakeSupervisor) -> None:
    FakeRelay.detached = True
    result = compose("attach", "web")
    assert (result.code, result.err) == (1, "read escape sequence\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("db",), "You cannot attach to a paused container, unpause it first"),
        (("tty",), "the input device is not a TTY"),
        (("none",), 'service "none" is not running'),
        (("--detach-keys", "nothing", "web"), "invalid detach keys: nothing"),
        (("--dry-run", "web"), "interactive run is not supported in dry-run mode"),
    ],
)
def test_what_cannot_be_attached_to(
    compose: Run, relayed: FakeSupervisor, words: tuple[str, ...], message: str
) -> None:
    result = compose("attach", *words)
    assert result.code == 1
    assert message in result.err
