"""Events of containers as docker compose prints them."""

import json
import time
from collections.abc import Iterator

import pytest

from cntnr_compose.cli.display.event_lines import (
    describe_event,
    format_event,
    format_event_as_json,
    format_line,
)
from cntnr_compose.core.events import ContainerEvent, ResourceEvent
from cntnr_compose.core.values import replace

ID = "ab" * 32
# As the events that docker compose 2.40.3 was given, to see what it makes of them.
DIED = ContainerEvent(
    action="die",
    time=1796000000.123456,
    id=ID,
    name="x-web-1",
    service="web",
    attributes={"image": "busybox", "exitCode": "1", "restarting": "1"},
    labels={"com.docker.compose.project": "x", "own.label": "yes"},
)


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", ["UTC"], indirect=True)
@pytest.mark.usefixtures("zone")
def test_the_text_tells_time_action_id_and_attributes() -> None:
    assert format_event(DIED) == (
        f"2026-11-30 00:53:20.123456 container die {ID} "
        "(exitCode=1, image=busybox, name=x-web-1, own.label=yes)\n\n"
    )


@pytest.mark.parametrize("zone", ["UTC"], indirect=True)
@pytest.mark.usefixtures("zone")
def test_json_is_one_object_a_line_with_the_keys_in_order() -> None:
    assert format_event_as_json(replace(DIED, labels={})) == (
        '{"action":"die","attributes":{"exitCode":"1","image":"busybox","name":"x-web-1"},'
        f'"id":"{ID}","service":"web","time":"2026-11-30T00:53:20.123456Z","type":"container","schema":1}}\n'
    )


@pytest.mark.parametrize("zone", ["XXX-5:30"], indirect=True)
@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (1796000000.5, "2026-11-30T06:23:20.5+05:30"),
        (1796000000, "2026-11-30T06:23:20+05:30"),
        (1795999999.9999999, "2026-11-30T06:23:20+05:30"),
    ],
)
def test_times_are_local_without_zeros_at_the_end(moment: float, expected: str) -> None:
    assert json.loads(format_event_as_json(replace(DIED, time=moment)))["time"] == expected


def test_health_is_part_of_the_action() -> None:
    event = replace(DIED, action="health_status", attributes={"image": "i", "health": "healthy"})
    told = json.loads(format_event_as_json(event))
    assert told["action"] == "health_status: healthy"
    assert told["attributes"] == {"image": "i", "name": "x-web-1", "own.label": "yes"}
    assert f" container health_status: healthy {ID} (" in format_event(event)


def test_labels_forge_neither_lines_nor_attributes_nor_colours() -> None:
    hostile = {"a": "b\nc\x1b[31m", "name": "other", "exitCode": "0"}
    event = replace(DIED, labels=hostile)
    assert r"(a=b\nc\x1b[31m, exitCode=1, image=busybox, name=x-web-1)" in format_event(event)
    assert format_event_as_json(event).count("\n") == 1


@pytest.mark.parametrize("zone", ["UTC"], indirect=True)
@pytest.mark.usefixtures("zone")
def test_networks_are_told_as_docker_events_does() -> None:
    attributes = {"type": "bridge", "name": "net", "container": "cd\n"}
    event = ResourceEvent(
        type="network", action="connect", time=DIED.time, id=ID, attributes=attributes
    )
    assert format_line(event) == (
        f"2026-11-30T00:53:20.123456000Z network connect {ID} (container=cd\\n, name=net, type=bridge)"
    )
    assert describe_event(event) == {
        "Type": "network",
        "Action": "connect",
        "Actor": {"ID": ID, "Attributes": attributes},
        "scope": "local",
        "time": 1796000000,
        "timeNano": 1796000000123456000,
    }
