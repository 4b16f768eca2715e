"""Volumes are whole or absent, whenever somebody is killed at making or removing one."""

import os
from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.core.names import NameInvalid
from cntnr_compose.host import files, mounts
from cntnr_compose.model.project import Volume
from cntnr_compose.volumes import store as volumes


@pytest.fixture(autouse=True)
def nothing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    files.remove_tree(paths.data())
    monkeypatch.setattr(mounts, "unmount_all", lambda _folder: None)


def made(name: str = "p_data") -> Path:
    volumes.create_volume(Volume(key="data", name=name), "hash", {}, "p")
    return volumes.mount_volume(name)


def test_a_volume_that_was_made_by_half_can_be_used_and_removed() -> None:
    made().rmdir()
    assert "p_data" in volumes.observe_volumes()
    assert volumes.mount_volume("p_data").is_dir()
    assert volumes.remove_volume("p_data")
    assert list(paths.volumes().iterdir()) == []


def test_a_volume_that_was_removed_by_half_is_empty_and_can_be_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (made() / "file").write_text("")
    removed: list[str] = []

    def killed(path: Path) -> None:
        removed.append(path.name)
        if path.exists():
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(volumes.files, "remove_tree", killed)
        with pytest.raises(KeyboardInterrupt):
            volumes.remove_volume("p_data")
    assert removed == ["_gone", "_gone"]
    assert "p_data" in volumes.observe_volumes()
    assert list(volumes.mount_volume("p_data").iterdir()) == []
    assert volumes.remove_volume("p_data")
    assert list(paths.volumes().iterdir()) == []


def test_a_volume_that_was_filled_by_half_is_filled_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "new").write_text("new")
    target = made()
    inode = target.stat().st_ino
    half = target.with_name("_filling")
    half.mkdir()
    (half / "old").write_text("old")

    def copy(argv: list[str]) -> None:
        for entry in tmp_path.iterdir():
            (Path(argv[-1]) / entry.name).write_bytes(entry.read_bytes())

    monkeypatch.setattr(volumes.process, "run", copy)
    monkeypatch.setattr(os, "chown", lambda *_: None)
    volumes.fill_from_image("p_data", tmp_path)
    assert [path.name for path in target.iterdir()] == ["new"]
    assert not half.exists()
    assert target.stat().st_ino == inode  # others may have it mounted


@pytest.mark.parametrize("name", ["", ".", "..", "../../x", "a/b", "a\0b", "x\n", "a", "v" * 300])
def test_no_volume_is_made_or_removed_outside_its_folder(name: str) -> None:
    victim = paths.data() / "victim"
    victim.mkdir(parents=True)
    kept = made()
    with pytest.raises(NameInvalid):
        volumes.create_volume(Volume(key="x", name=name), "hash", {}, "p")
    with pytest.raises(NameInvalid):
        volumes.create_anonymous_volume(name, "p")
    for verb in (volumes.find_volume, volumes.remove_volume, volumes.mount_volume):
        if name != "a":  # too short, but no path
            with pytest.raises(NameInvalid):
                verb(name)
    assert victim.is_dir()
    assert kept.is_dir()


def test_what_is_written_under_another_name_is_no_volume() -> None:
    folder = made().parent
    folder.rename(folder.with_name("p_other"))
    assert volumes.observe_volumes() == {}


def test_a_volume_that_is_a_folder_is_filled_where_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Who has it mounted may put links there meanwhile: no program is told of paths in it."""
    device, image = tmp_path / "device", tmp_path / "image"
    device.mkdir()
    (image / "folder").mkdir(parents=True)
    (image / "folder/file").write_text("text")
    image.chmod(0o2750)
    options = {"type": "none", "o": "bind", "device": str(device)}
    volumes.create_volume(Volume(key="data", name="p_data", driver_opts=options), "hash", {}, "p")
    monkeypatch.setattr(volumes.process, "run", pytest.fail)
    volumes.fill_from_image("p_data", image)
    assert (device / "folder/file").read_text() == "text"
    assert device.stat().st_mode & 0o7777 == 0o2750
