"""A volume is filled from the image when it is empty, and filled again after an incomplete copy."""

import os
from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.host import files, process
from cntnr_compose.model.project import Volume
from cntnr_compose.volumes.fill import fill_from_image
from cntnr_compose.volumes.store import create_volume, mount_volume


@pytest.fixture(autouse=True)
def no_volumes() -> None:
    files.remove_tree(paths.data())


def create() -> Path:
    create_volume(Volume(key="data", name="p_data"), "hash", {}, "p")
    return mount_volume("p_data")


def test_a_volume_that_was_filled_by_half_is_filled_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "new").write_text("new")
    target = create()
    inode = target.stat().st_ino
    incomplete = target.with_name("_filling")
    incomplete.mkdir()
    (incomplete / "old").write_text("old")

    def copy(argv: list[str]) -> None:
        for entry in tmp_path.iterdir():
            (Path(argv[-1]) / entry.name).write_bytes(entry.read_bytes())

    monkeypatch.setattr(process, "run", copy)
    monkeypatch.setattr(os, "chown", lambda *_: None)
    fill_from_image("p_data", tmp_path)
    assert [path.name for path in target.iterdir()] == ["new"]
    assert not incomplete.exists()
    assert target.stat().st_ino == inode  # others may have it mounted


def test_a_volume_that_is_a_folder_is_filled_where_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Containers that have it mounted may put links there meanwhile: no program gets paths in it."""
    device, image = tmp_path / "device", tmp_path / "image"
    device.mkdir()
    (image / "folder").mkdir(parents=True)
    (image / "folder/file").write_text("text")
    image.chmod(0o2750)
    options = {"type": "none", "o": "bind", "device": str(device)}
    create_volume(Volume(key="data", name="p_data", driver_opts=options), "hash", {}, "p")
    monkeypatch.setattr(process, "run", pytest.fail)
    fill_from_image("p_data", image)
    assert (device / "folder/file").read_text() == "text"
    assert device.stat().st_mode & 0o7777 == 0o2750
