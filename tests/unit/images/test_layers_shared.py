"""Unpacked layers of additional stores are linked where their owners are right, and only there."""

import os
import shutil
from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.core.values import replace
from cntnr_compose.host import files
from cntnr_compose.images.layers import shared
from cntnr_compose.images.layers.shared import OwnerMaps, current_maps, link_shared_layers

NAME = "c-" + "a" * 64
OTHER = "c-" + "b" * 64


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    paths.layers().mkdir(parents=True)
    layers = tmp_path / "lab/layers"
    (layers / NAME / "fs").mkdir(parents=True)
    (layers / NAME / "fs/file").write_text("content")
    (layers / NAME / "layer.json").write_text('{"size": 7}')
    files.write_value(layers / "owners.json", current_maps())
    monkeypatch.setattr(shared.squashfs, "can_mount", lambda: False)
    monkeypatch.setattr(shared, "store_folders", lambda **_: (tmp_path / "lab",))
    return layers


def test_a_layer_is_linked(lab: Path) -> None:
    link_shared_layers([NAME, OTHER])
    place = paths.layers() / NAME
    assert (place / "fs").readlink() == lab / NAME / "fs"
    assert (place / "layer.json").read_text() == '{"size": 7}'
    assert not (paths.layers() / OTHER).exists()
    link_shared_layers([NAME])
    assert [path.name for path in paths.layers().glob("[!.]*")] == [NAME]


def test_one_s_own_layer_stays(lab: Path) -> None:
    (paths.layers() / NAME / "fs").mkdir(parents=True)
    link_shared_layers([NAME])
    assert not (paths.layers() / NAME / "fs").is_symlink()


@pytest.mark.parametrize("maps", [None, "{", OwnerMaps(users=((0, 5, 1),), groups=((0, 5, 1),))])
def test_owners_have_to_be_right(lab: Path, maps: OwnerMaps | str | None) -> None:
    (lab / "owners.json").unlink()
    if isinstance(maps, str):
        (lab / "owners.json").write_text(maps)
    elif maps is not None:
        files.write_value(lab / "owners.json", maps)
    link_shared_layers([NAME])
    assert not (paths.layers() / NAME).exists()


def test_groups_count_as_users_do(lab: Path) -> None:
    files.write_value(lab / "owners.json", replace(current_maps(), groups=((0, 5, 1),)))
    link_shared_layers([NAME])
    assert not (paths.layers() / NAME).exists()


def test_pipes_do_not_block(lab: Path) -> None:
    (lab / NAME / "layer.json").unlink()
    os.mkfifo(lab / NAME / "layer.json")
    link_shared_layers([NAME])
    assert (paths.layers() / NAME / "fs").is_symlink()
    (lab / "owners.json").unlink()
    os.mkfifo(lab / "owners.json")
    assert not shared.has_own_layers(lab)


def test_a_link_to_nothing_goes(lab: Path) -> None:
    link_shared_layers([NAME])
    shutil.rmtree(lab / NAME)
    link_shared_layers([NAME])
    assert not (paths.layers() / NAME).exists()
    assert lab.exists()


def test_whose_layers_they_are_is_seen_from_outside(lab: Path) -> None:
    files.write_value(lab / "owners.json", OwnerMaps(users=((0, os.getuid(), 1),), groups=()))
    assert shared.has_own_layers(lab)
    files.write_value(lab / "owners.json", OwnerMaps(users=((0, os.getuid() + 1, 1),), groups=()))
    assert not shared.has_own_layers(lab)


def test_a_file_is_taken_where_the_folder_is_another_s(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write_value(lab / "owners.json", OwnerMaps(users=(), groups=()))
    (lab / f"{NAME}.squashfs").write_text("")
    shown = tmp_path / "shown/fs"
    shown.mkdir(parents=True)
    monkeypatch.setattr(shared.squashfs, "can_mount", lambda: True)
    monkeypatch.setattr(shared.squashfs, "mount", lambda _file, _name: shown)
    link_shared_layers([NAME, OTHER])
    assert (paths.layers() / NAME / "fs").readlink() == shown
    assert not (paths.layers() / OTHER).exists()
