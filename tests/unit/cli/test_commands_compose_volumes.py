"""`volumes` lists the volumes of a project."""

import json

import pytest

from cntnr_compose.model.observed import MountPoint, ObservedVolume
from cntnr_compose.volumes import store
from tests.unit.cli.conftest import FakeSupervisor, Run
from tests.unit.cli.factories import container


@pytest.fixture
def stored(shop: FakeSupervisor, monkeypatch: pytest.MonkeyPatch) -> FakeSupervisor:
    """Store volumes of the project and others; the one of `web` is mounted, and so is a folder."""
    volumes = [
        ObservedVolume(name="shop_data", project="shop", labels={"b": "2", "a": "1"}),
        ObservedVolume(name="shop_more", project="shop"),
        ObservedVolume(name="0" * 64, project="shop", anonymous=True),
        ObservedVolume(name="other_data", project="other"),
    ]
    monkeypatch.setattr(store, "observe_volumes", lambda: {it.name: it for it in volumes})
    mounts = (
        MountPoint(type="volume", target="/data", source="shop_data"),
        MountPoint(type="bind", target="/more", source="shop_more"),
    )
    more = (MountPoint(type="volume", target="/more", source="shop_more"),)
    shop.containers = [
        container("web", mounts=mounts), container("db", state="exited", mounts=more),
    ]  # fmt: skip
    return shop


def test_named_volumes_of_the_project_are_listed(compose: Run, stored: FakeSupervisor) -> None:
    assert compose("volumes").out == (
        "DRIVER    VOLUME NAME\nlocal     shop_data\nlocal     shop_more\n"
    )
    assert compose("-p", "nothing", "volumes").out == "DRIVER    VOLUME NAME\n"
    assert compose("volumes", "-q").out == "shop_data\nshop_more\n"
    assert compose("volumes", "--format", "{{.Name}} {{.Scope}}").out.splitlines() == [
        "shop_data local", "shop_more local",
    ]  # fmt: skip
    assert compose("volumes", "--format", r"table {{.Name}}\t{{.Scope}}").out.splitlines() == [
        "VOLUME NAME   SCOPE", "shop_data     local", "shop_more     local",
    ]  # fmt: skip
    assert stored.calls == []


@pytest.mark.usefixtures("stored")
def test_json_has_the_keys_of_docker(compose: Run) -> None:
    lines = compose("volumes", "--format", "json").out.splitlines()
    first = json.loads(lines[0])
    assert first.pop("Mountpoint").endswith("/volumes/shop_data/_data")
    assert list(first.items()) == [
        ("Availability", "N/A"), ("Driver", "local"), ("Group", "N/A"), ("Labels", "a=1,b=2"),
        ("Links", "N/A"), ("Name", "shop_data"), ("Scope", "local"), ("Size", "N/A"),
        ("Status", "N/A"),
    ]  # fmt: skip
    assert len(lines) == 2


@pytest.mark.usefixtures("stored")
def test_volumes_of_services_are_those_that_run_with_them(compose: Run) -> None:
    assert compose("volumes", "-q", "web").out == "shop_data\n"
    assert compose("volumes", "-q", "db").out == ""
    wrong = compose("volumes", "nothing")
    assert (wrong.code, wrong.err) == (1, "error: no such service: nothing\n")
