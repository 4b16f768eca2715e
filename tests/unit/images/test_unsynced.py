"""What the disk may have lost when the machine stopped is made again; what it has is kept."""

import os
from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.host import files, kernel
from cntnr_compose.images import unsynced
from cntnr_compose.images.store import ImageStore
from tests.unit.images.test_store import add


@pytest.fixture(autouse=True)
def boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Have a machine in its first boot."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    start_again(monkeypatch, "first")
    return monkeypatch


def start_again(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(kernel, "boot_id", lambda: name)


def unpack(name: str) -> None:
    unsynced.mark(name)
    (paths.layers() / name / "fs").mkdir(parents=True)


def layers() -> set[str]:
    return {path.name for path in files.find_paths(paths.layers(), "[!.]*")}


def test_a_layer_that_was_not_waited_for_goes_with_the_boot(boot: pytest.MonkeyPatch) -> None:
    unpack("c-1")
    unsynced.sync()
    assert not unsynced.has_marks()
    unpack("c-2")
    unpack("s-3")
    unsynced.move_away_unsynced()
    assert layers() == {"c-1", "c-2", "s-3"}
    start_again(boot, "second")
    unpack("c-4")
    unsynced.sync()  # of this boot
    for _ in range(2):
        unsynced.move_away_unsynced()
        assert layers() == {"c-1", "c-4"}
    assert len(files.find_paths(paths.layers(), f"{files.DETACHED_PREFIX}*")) == 2
    assert not unsynced.has_marks()


def test_marks_stay_where_the_disk_fails(boot: pytest.MonkeyPatch) -> None:
    unpack("c-1")
    boot.setattr(files, "sync_file_system", lambda _path: False)
    unsynced.sync()
    assert unsynced.has_marks()


def test_what_is_unpacked_meanwhile_is_not_taken_for_synced(boot: pytest.MonkeyPatch) -> None:
    def sync(path: Path) -> bool:
        if path == paths.layers():
            unpack("c-2")
        return True

    unpack("c-1")
    boot.setattr(files, "sync_file_system", sync)
    unsynced.sync()
    start_again(boot, "second")
    unsynced.move_away_unsynced()
    assert layers() == {"c-1"}


def test_a_layer_that_another_process_has_unpacked_again_stays(boot: pytest.MonkeyPatch) -> None:
    unpack("c-1")
    start_again(boot, "second")
    listed = unsynced._list_earlier_marks

    def list_late() -> list[Path]:
        marks = listed()
        boot.setattr(unsynced, "_list_earlier_marks", listed)
        unsynced.move_away_unsynced()
        unpack("c-1")
        return marks

    boot.setattr(unsynced, "_list_earlier_marks", list_late)
    unsynced.move_away_unsynced()
    assert layers() == {"c-1"}


@pytest.mark.parametrize("part", ["layer", "config", "manifest"])
def test_a_torn_image_is_not_there_and_can_be_made_again(
    boot: pytest.MonkeyPatch, part: str
) -> None:
    store = ImageStore()
    image = add(store, "docker.io/library/a:1", "x")
    kept = add(store, "docker.io/library/b:1", "y")
    manifest = store.manifest(image)
    digest = {"layer": manifest.layers[0].digest, "config": image.id, "manifest": image.manifest}
    os.truncate(store.blob_path(digest[part]), 0)
    if part == "manifest":
        os.truncate(store.manifest_copy(image.manifest), 0)
    assert len(store.list()) == 2  # nobody looks while the machine runs
    start_again(boot, "second")
    assert ImageStore().list() == (kept,)
    again = add(ImageStore(), "docker.io/library/a:1", "x")
    assert again.id == image.id
    assert {one.ref for one in ImageStore().list()} == {image.ref, kept.ref}


def test_what_a_manifest_lies_about_is_not_removed() -> None:
    store = ImageStore()
    image = add(store, "docker.io/library/a:1", "x")
    [layer] = store.manifest(image).layers
    assert not store.is_torn(type(layer)(media_type="", digest=layer.digest, size=1))
    assert store.mark_blob_used(layer)
