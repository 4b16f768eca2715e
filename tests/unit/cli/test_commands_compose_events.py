"""`events` prints the events of the services that it is asked for, between two times."""

import json
import time
from collections.abc import Iterator

import pytest

from cntnr_compose.client import event_stream
from cntnr_compose.core.events import ContainerEvent
from tests.unit.cli.conftest import FakeSupervisor, Run


class FakeStream:
    """Stand in for the events of a project; keep what was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float, float]] = []
        self.failure: type[BaseException] | None = None

    def stream(self, project: str, *, since: float, until: float) -> Iterator[ContainerEvent]:
        self.asked.append((project, since, until))
        for service in ("web", "db"):
            for oneoff in (False, True):
                yield ContainerEvent(
                    action="start", time=1, id="a", name="n", service=service, oneoff=oneoff
                )
        if self.failure:
            raise self.failure


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch, shop: FakeSupervisor) -> FakeStream:
    assert not shop.containers
    fake = FakeStream()
    monkeypatch.setattr(event_stream, "stream_events", fake.stream)
    return fake


@pytest.mark.parametrize(
    ("words", "expected"), [((), ["web", "db"]), (("db",), ["db"]), (("other",), [])]
)
def test_services_are_selected_and_one_off_containers_left_out(
    compose: Run, events: FakeStream, words: tuple[str, ...], expected: list[str]
) -> None:
    ran = compose("events", "--json", *words)
    assert [json.loads(line)["service"] for line in ran.out.splitlines()] == expected
    assert (ran.code, ran.err, events.asked) == (0, "", [("shop", 0, 0)])


def test_without_json_it_is_text(compose: Run, events: FakeStream) -> None:
    ran = compose("events", "web")
    assert ran.out.endswith(".000000 container start a (name=n)\n\n")
    assert len(events.asked) == 1


def test_times_are_absolute_or_ages(compose: Run, events: FakeStream) -> None:
    compose("events", "--since", "10m", "--until", "2027-01-01T00:00:00Z")
    compose("events", "--until", "1700000000.5")
    compose("events", "--since", "0", "--until", "9" * 400)
    (_, since, until), alone, widest = events.asked
    assert since == pytest.approx(time.time() - 600, abs=5)
    assert until == 1798761600
    assert 0 < alone[1] < 1, "docker prints what was before, if only the end is told"
    assert alone[2] == 1700000000.5
    assert (0 < widest[1] < 1, widest[2]) == (True, 1e10)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--since", "foo"), 'cannot read the time "foo" of --since'),
        (("--until", "foo"), 'cannot read the time "foo" of --until'),
        (("--since", "5m", "--until", "10m"), "--since (5m) cannot be after --until (10m)"),
    ],
)
def test_times_that_cannot_be_are_refused(
    compose: Run, events: FakeStream, words: tuple[str, ...], expected: str
) -> None:
    ran = compose("events", *words)
    assert (ran.code, ran.out, events.asked) == (1, "", [])
    assert expected in ran.err
    assert "hint: " in ran.err


def test_ctrl_c_and_a_closed_pipe_end_it_quietly(compose: Run, events: FakeStream) -> None:
    for failure, code in ((KeyboardInterrupt, 130), (BrokenPipeError, 141)):
        events.failure = failure
        ran = compose("events")
        assert (ran.code, ran.err) == (code, "")
