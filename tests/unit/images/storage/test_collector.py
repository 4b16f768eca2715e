"""The collector on real files."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.core.values import replace, to_json
from cntnr_compose.images.errors import NoSuchImage
from cntnr_compose.images.index_file import NAME_ANNOTATION
from cntnr_compose.images.layers.job import layer_names
from cntnr_compose.images.storage.collector import (
    Decision,
    collect,
    free_unneeded,
    remove_name,
    remove_unnamed,
)
from cntnr_compose.images.storage.decisions import decide_removal, select_unused
from cntnr_compose.images.storage.inventory import ManifestUnreadable
from cntnr_compose.images.storage.model import Inventory
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image
from cntnr_compose.model.oci import CONFIG, MANIFEST, Descriptor, Manifest


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ImageStore]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return ImageStore()


def add(store: ImageStore, ref: str, *layers: str) -> Image:
    """Add an image, with the folders of its layers."""
    store.create_layout()
    blobs = [store.write_blob(text.encode(), "application/x-tar") for text in layers]
    diff_ids = [blob.digest for blob in blobs]
    config = store.write_blob(to_json({"rootfs": {"diff_ids": diff_ids}}), CONFIG)
    for name in layer_names(diff_ids):
        folder = paths.layers() / name / "fs"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "file").write_text("12345")
    manifest = Manifest(config=config, layers=tuple(blobs))
    return store.add(ref, store.write_blob(to_json(manifest), MANIFEST))


def forget(store: ImageStore, name: str) -> None:
    """Take a name, or an image by its manifest, out of the index; its files stay."""
    with store.locked_index() as index:
        kept = tuple(
            entry
            for entry in index.manifests
            if name not in (entry.annotations.get(NAME_ANNOTATION), entry.digest)
        )
        store.write_index(replace(index, manifests=kept))


def manifest_of(store: ImageStore, image: Image) -> Descriptor:
    size = store.blob_path(image.manifest).stat().st_size
    return Descriptor(media_type=MANIFEST, digest=image.manifest, size=size)


def write_container(name: str, **record: object) -> None:
    folder = paths.containers() / "project" / name
    folder.mkdir(parents=True)
    (folder / "record.json").write_bytes(to_json(record))


def count(store: ImageStore) -> tuple[int, int]:
    """Count blobs and folders of layers."""
    blobs = list((store.blobs / "sha256").iterdir())
    return len(blobs), len(list(paths.layers().glob("[!.]*")))


def test_what_nothing_refers_to_is_freed(store: ImageStore) -> None:
    add(store, "docker.io/library/a:1", "base", "a")
    add(store, "docker.io/library/b:1", "base", "b")
    assert count(store) == (7, 3)
    assert free_unneeded() == 0
    forget(store, "docker.io/library/a:1")
    freed = free_unneeded()
    assert count(store) == (4, 2)
    assert freed > 5
    assert store.require("b:1")
    assert list(paths.layers().glob(".gone-*")) == []
    forget(store, "docker.io/library/b:1")
    free_unneeded()
    assert count(store) == (0, 0)


def test_a_build_or_pull_under_way_keeps_what_it_writes(store: ImageStore) -> None:
    add(store, "docker.io/library/a:1", "a")
    forget(store, "docker.io/library/a:1")
    with store.protect_blobs():
        assert free_unneeded() == 0
        assert count(store) == (3, 1)
    free_unneeded()
    assert count(store) == (0, 0)


def test_containers_keep_their_images_and_those_they_mount(store: ImageStore) -> None:
    made_of = add(store, "docker.io/library/a:1", "a")
    mounted = add(store, "docker.io/library/b:1", "b")
    running = add(store, "docker.io/library/c:1", "c")
    add(store, "docker.io/library/d:1", "d")
    write_container("one", image_id=made_of.id, mounts=[{"type": "image", "source": "b:1"}])
    write_container("two", image_id=made_of.id)
    (paths.containers() / "project/two/images.json").write_bytes(to_json({"ids": [running.id]}))
    (paths.containers() / "project/half").mkdir()
    for name in ("a:1", "c:1"):
        forget(store, f"docker.io/library/{name}")

    def everything(inventory: Inventory) -> Decision:
        return Decision(decide_removal(inventory, select_unused(inventory, everything=True)))

    removed = collect(everything).removal.images
    assert [image.ref for image in removed] == ["docker.io/library/d:1"]
    for image in (made_of, mounted, running):
        assert store.blob_path(store.manifest(image).layers[0].digest).exists()
    assert count(store) == (9, 3)


def test_a_container_of_an_image_that_lies_elsewhere_keeps_what_is_unpacked(
    store: ImageStore,
) -> None:
    store.create_layout()
    identity = "a" * 64
    for name in (identity, "c-lower", "c-other"):
        (paths.layers() / name / "fs").mkdir(parents=True)
    (paths.layers() / identity / "stack.json").write_text('{"lower":["c-lower/fs"]}')
    write_container("one", image_id=f"sha256:{identity}")
    free_unneeded()
    assert {path.name for path in paths.layers().glob("[!.]*")} == {identity, "c-lower"}


def test_names_move_and_the_image_goes_when_it_is_pruned(store: ImageStore) -> None:
    old = add(store, "docker.io/library/a:1", "old")
    new = add(store, "docker.io/library/a:1", "new")
    assert remove_unnamed([new.id]) == 0
    assert {one.id for one in store.list()} == {old.id, new.id}
    assert remove_unnamed([old.id, new.id]) > 0
    assert [one.id for one in store.list()] == [new.id]
    assert not store.use_file(old.id).exists()
    assert store.use_file(new.id).exists()


def test_names_are_taken_away_and_the_image_stays(store: ImageStore) -> None:
    image = add(store, "docker.io/library/a:1", "x")
    collect(lambda stock: Decision(decide_removal(stock), unnamed=stock.images))
    [nameless] = store.list()
    assert (nameless.ref, nameless.id) == ("", image.id)
    assert count(store) == (3, 1)


def test_a_name_goes_with_its_image_unless_a_container_needs_it(store: ImageStore) -> None:
    needed = add(store, "docker.io/library/a:1", "a")
    store.add("docker.io/library/a:2", manifest_of(store, needed))
    add(store, "docker.io/library/b:1", "b")
    write_container("one", image_id=needed.id)
    assert remove_name("a:1")
    assert not remove_name("a:2")
    assert remove_name("b:1")
    assert [one.ref for one in store.list()] == ["docker.io/library/a:2"]
    assert count(store) == (3, 1)
    with pytest.raises(NoSuchImage):
        remove_name("b:1")


def test_a_dry_run_tells_and_changes_nothing(store: ImageStore) -> None:
    add(store, "docker.io/library/a:1", "x")
    collected = collect(lambda stock: Decision(decide_removal(stock, stock.images)), dry_run=True)
    assert len(collected.removal.images) == 1
    assert collected.size > 0
    assert count(store) == (3, 1)
    assert store.require("a:1")


def test_nothing_is_removed_where_a_manifest_cannot_be_read(
    store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    image = add(store, "docker.io/library/a:1", "x")
    store.blob_path(image.manifest).write_text("{")
    store.manifest_copy(image.manifest).write_text("{")
    with pytest.raises(ManifestUnreadable, match="the manifest of image docker"):
        free_unneeded()
    assert count(store) == (3, 1)


def test_records_of_the_build_cache_that_are_broken_go(store: ImageStore) -> None:
    add(store, "docker.io/library/a:1", "x")
    steps = paths.builds() / "steps"
    steps.mkdir(parents=True)
    (paths.layers() / "s-1/fs").mkdir(parents=True)
    (steps / "1.json").write_text('{"folder":"s-1"}')
    (steps / "2.json").write_text('{"folder":"s-gone"}')
    (steps / "3.json").write_text('{"folder":')
    free_unneeded()
    assert [path.name for path in steps.iterdir()] == ["1.json"]
    assert (paths.layers() / "s-1/fs").is_dir()


def test_what_a_killed_collector_has_detached_is_removed_by_the_next(store: ImageStore) -> None:
    add(store, "docker.io/library/a:1", "x")
    folder = paths.layers() / ".gone-0123" / "fs"
    folder.mkdir(parents=True)
    (folder / "file").write_bytes(b"x" * 100)
    os.link(folder / "file", folder / "same")
    (folder / "link").symlink_to("/etc")
    assert 100 <= free_unneeded() < 200
    assert not folder.exists()
    assert Path("/etc").is_dir()
