"""Events come from one supervisor after the other, each once, up to a time."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

from cntnr_compose.client import client, event_stream, observe
from cntnr_compose.client.connection import SupervisorGone
from cntnr_compose.client.event_stream import stream_events
from cntnr_compose.core.events import ContainerEvent
from cntnr_compose.model.protocol import Subscribe

FAR = 1e10  # a time to come
Script = list[ContainerEvent | None]


def event(moment: float) -> ContainerEvent:
    return ContainerEvent(action="start", time=moment, id="a", name="n", service="web")


class ScriptedClient:
    """Stand in for a client whose supervisor emits the events of a script, then is gone."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Subscribe] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def subscribe(self, request: Subscribe) -> None:
        self.requests.append(request)

    def next_event(self) -> ContainerEvent | None:
        if not self.script:
            raise SupervisorGone(Path("log"))
        return self.script.pop(0)


@pytest.fixture
def supervisors(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[ScriptedClient]]:
    """Return a function that sets which supervisors come one after the other; None is a moment without."""

    def play(*scripts: Script | None) -> list[ScriptedClient]:
        clients = [None if script is None else ScriptedClient(script) for script in scripts]
        coming = iter(clients)
        monkeypatch.setattr(client, "connect", lambda _project, start: next(coming, None))
        return [one for one in clients if one is not None]

    monkeypatch.setattr(observe, "observe_project", lambda _project: None)
    monkeypatch.setattr(event_stream, "POLL_INTERVAL", 0.001)
    return play


def test_the_next_supervisor_is_asked_for_what_came_after_the_last_event(
    supervisors: Callable[..., list[ScriptedClient]],
) -> None:
    first, second = supervisors(None, [event(5), event(6)], None, None, [event(7), None])
    assert [one.time for one in stream_events("shop", since=4, until=FAR)] == [5, 6, 7]
    assert first.requests == [Subscribe(since=4, until=FAR, keeps_supervisor=False)]
    (asked,) = second.requests
    assert 6 < asked.since == math.nextafter(6, 7)


def test_without_a_time_it_begins_now(supervisors: Callable[..., list[ScriptedClient]]) -> None:
    (only,) = supervisors([None])
    assert list(stream_events("shop")) == []
    assert only.requests[0].since == pytest.approx(time.time(), abs=5)


@pytest.mark.parametrize("left", [-100, 0.05])
def test_it_ends_at_the_time_though_there_is_no_supervisor(
    supervisors: Callable[..., list[ScriptedClient]], left: float
) -> None:
    supervisors()
    end = time.time() + left
    assert list(stream_events("shop", since=1, until=end)) == []
    assert time.time() >= end
