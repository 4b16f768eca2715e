"""Images are pushed under all their names, or skipped."""

from pathlib import Path

import pytest

from cntnr_compose.core.events import Event, Progress
from cntnr_compose.images.errors import ImageNotFound, ImageNotLocal, PushFailed, RegistryDown
from cntnr_compose.images.store import ImageStore
from cntnr_compose.images.transports import skopeo
from cntnr_compose.images.transports.push import push_services
from cntnr_compose.model.service import Build, Service
from tests.unit.images.test_store import add

BUILD = Build(context=".", tags=("reg.io/a:more",))


@pytest.fixture
def pushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    names: list[str] = []
    monkeypatch.setattr(skopeo, "export_image", lambda _layout, ref: names.append(ref))
    return names


def test_all_names_of_what_was_built_are_pushed(pushed: list[str]) -> None:
    for name in ("reg.io/a:1", "reg.io/a:more"):
        add(ImageStore(), name)
    events: list[Event] = []
    services = [
        Service(name="a", image="reg.io/a:1", build=BUILD),
        Service(name="b", build=BUILD),
        Service(name="c", image="reg.io/c:1"),
    ]
    push_services(services, emit=events.append)
    assert sorted(pushed) == ["reg.io/a:1", "reg.io/a:more"]
    skipped = [one.name for one in events if isinstance(one, Progress) and one.detail == "Skipped"]
    assert skipped == ["b", "c"]
    push_services(services, emit=events.append, dry_run=True)
    assert len(pushed) == 2


def test_the_rest_is_pushed_where_one_fails(pushed: list[str]) -> None:
    add(ImageStore(), "reg.io/a:more")
    services = [Service(name="a", image="reg.io/a:1", build=BUILD)]
    events: list[Event] = []
    with pytest.raises(ImageNotLocal, match=r"locally with the tag: reg\.io/a:1"):
        push_services(services, emit=events.append)
    assert pushed == ["reg.io/a:more"]
    push_services(services, emit=events.append, ignore_failures=True)
    last = [one for one in events if isinstance(one, Progress) and one.state == "warning"]
    assert [one.name for one in last] == ["reg.io/a:1"]


def test_errors_speak_of_the_push() -> None:
    down = PushFailed(RegistryDown("reg.io/a:1", "connection refused"))
    assert str(down).startswith(
        "cannot push image reg.io/a:1: the registry reg.io cannot be reached"
    )
    denied = PushFailed(ImageNotFound("reg.io/a:1"))
    assert "does not let you push" in str(denied)
    assert "skopeo login reg.io" in denied.hint
