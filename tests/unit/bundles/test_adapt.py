"""What is changed of a bundle that others made, for an ordinary user and for root."""

from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.bundles import adapt
from cntnr_compose.bundles.adapt import Machine
from cntnr_compose.bundles.place import BundlePlace

ROWS = [(0, 1000, 1), (1, 100000, 65536)]
USER = Machine(rows={"uid": ROWS, "gid": ROWS})


@pytest.fixture
def place(tmp_path: Path) -> BundlePlace:
    (tmp_path / "rootfs").mkdir()
    return BundlePlace(name="b", path=tmp_path, is_custom=True)


def config(**more: Any) -> Any:
    return {
        "ociVersion": "1.0.2",
        "process": {"args": ["sh"], "terminal": True},
        "root": {"path": "rootfs"},
        "linux": {"namespaces": [{"type": "mount"}]},
        **more,
    }


def test_an_ordinary_user_gets_a_user_namespace(place: BundlePlace) -> None:
    before = config()
    adapted, notes = adapt.adapt(place, before, USER)
    assert before == config()  # nothing of it is changed
    assert {"type": "user"} in adapted["linux"]["namespaces"]
    assert adapted["linux"]["uidMappings"][1] == {
        "containerID": 1, "hostID": 100000, "size": 65536,
    }  # fmt: skip
    assert not adapted["process"]["terminal"]
    assert len(notes) == 2


def test_what_fits_stays_as_it_is(place: BundlePlace) -> None:
    own = [{"containerID": 0, "hostID": 1000, "size": 1}]
    linux = {"namespaces": [{"type": "user"}], "uidMappings": own, "gidMappings": own}
    fitting = config(linux=linux, mounts=[])
    machine = Machine(rows=USER.rows, has_terminal=True)
    assert adapt.adapt(place, fitting, machine) == (fitting, [])
    joined = config(linux={"namespaces": [{"type": "user", "path": "/proc/1/ns/user"}]}, mounts=[])
    assert adapt.adapt(place, joined, machine)[0] == joined
    as_root = Machine(rows=USER.rows, is_root=True, has_terminal=True)
    assert adapt.adapt(place, config(), as_root) == (config(), [])


@pytest.mark.parametrize(
    "mapping",
    [
        {"containerID": 0, "hostID": 0, "size": 1},
        {"containerID": 0, "hostID": 1000, "size": 2},
        {"containerID": 0, "hostID": 165536, "size": 1},
        {"containerID": 0, "hostID": "1000", "size": 1},
        {"containerID": 0, "hostID": True, "size": 1},
        {"containerID": 0, "hostID": 1000, "size": -1},
        {},
    ],
)
def test_ids_of_others_are_replaced(place: BundlePlace, mapping: Any) -> None:
    linux = {"namespaces": [{"type": "user"}], "uidMappings": [mapping]}
    adapted, notes = adapt.adapt(place, config(linux=linux), USER)
    assert adapted["linux"]["uidMappings"][0]["hostID"] == 1000
    assert any("uidMappings" in note for note in notes)


def test_with_one_id_there_is_no_group_of_terminals(place: BundlePlace) -> None:
    mounts = [{"destination": "/dev/pts", "type": "devpts", "source": "p", "options": ["gid=5"]}]
    single = Machine(rows={"uid": ROWS[:1], "gid": ROWS[:1]})
    assert adapt.adapt(place, config(mounts=mounts), single)[0]["mounts"][0]["options"] == []
    assert adapt.adapt(place, config(mounts=mounts), USER)[0]["mounts"][0]["options"] == ["gid=5"]


def test_limits_are_lowered_to_those_of_the_user(
    place: BundlePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapt.resource, "getrlimit", lambda _: (64, 128))
    limits = [{"type": "RLIMIT_NOFILE", "hard": 4096, "soft": 100}, {"type": "RLIMIT_X", "hard": 9}]
    process = {"args": ["sh"], "rlimits": limits}
    adapted, notes = adapt.adapt(place, config(process=process), USER)
    assert adapted["process"]["rlimits"][0] == {"type": "RLIMIT_NOFILE", "hard": 128, "soft": 100}
    assert any("RLIMIT_NOFILE is 128" in note for note in notes)


def test_what_reaches_the_machine_is_told(
    place: BundlePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapt, "find_hook_program", lambda: "/opt/cntnr-hook")
    (place.path / "own").mkdir()
    (place.path / "link").symlink_to("/etc")
    mounts = [
        {"destination": f"/{name}", "type": "bind", "source": name, "options": []}
        for name in ("own", "link", "../up")
    ]
    hooks = {
        "prestart": [{"path": "/tmp/cntnr-hook"}, {"path": "/opt/cntnr-hook"}],
        "startContainer": [{"path": "/in/container"}],
    }
    notes = adapt.adapt(place, config(mounts=mounts, hooks=hooks), USER)[1]
    dangers = [
        note for note in notes if note.startswith(("its prestart", "its start", "it mounts"))
    ]
    assert dangers == [
        "its prestart hook /tmp/cntnr-hook runs as you, outside of the container",
        "it mounts link of this machine at /link",
        "it mounts ../up of this machine at /../up",
    ]


def test_relative_paths_are_those_of_the_bundle(place: BundlePlace) -> None:
    mounts = [
        {"destination": "/a", "type": "bind", "source": "etc/hosts"},
        {"destination": "/b", "type": "none", "source": "/abs", "options": ["rbind"]},
        {"destination": "/proc", "type": "proc", "source": "proc"},
    ]
    moved = adapt.locate_sources(place, config(mounts=mounts))
    assert moved["root"]["path"] == f"{place.path}/rootfs"
    assert [mount["source"] for mount in moved["mounts"]] == [
        f"{place.path}/etc/hosts", "/abs", "proc",
    ]  # fmt: skip
