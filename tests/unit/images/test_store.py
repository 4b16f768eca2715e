"""The image store."""

import os
from pathlib import Path

import pytest

from cntnr_compose.core.values import replace, to_json
from cntnr_compose.host import files
from cntnr_compose.images.errors import BlobsMissing, NoSuchImage, StoreDamaged
from cntnr_compose.images.index_file import NAME_ANNOTATION, IndexUnreadable
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image
from cntnr_compose.model.oci import CONFIG, MANIFEST, Descriptor, Manifest


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


def add(store: ImageStore, ref: str, mark: str = "") -> Image:
    store.create_layout()
    tree = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["A=1"], "Labels": None},
        "mark": mark,
    }
    config = store.write_blob(to_json(tree), CONFIG)
    layer = store.write_blob(f"layer {mark}".encode(), "application/vnd.oci.image.layer.v1.tar")
    return store.add(
        ref, store.write_blob(to_json(Manifest(config=config, layers=(layer,))), MANIFEST)
    )


def forget(store: ImageStore, name: str) -> None:
    """Take a name, or an image by its manifest, out of the index; its files stay."""
    with store.locked_index() as index:
        kept = tuple(
            entry
            for entry in index.manifests
            if name not in (entry.annotations.get(NAME_ANNOTATION), entry.digest)
        )
        store.write_index(replace(index, manifests=kept))


def test_an_image_is_found_by_every_name_it_goes_by(store: ImageStore) -> None:
    added = add(store, "docker.io/library/redis:7")
    for name in ("redis:7", "docker.io/library/redis:7", added.id, added.id[7:19]):
        by_name = store.find(name)
        assert by_name is not None
        assert (by_name.id, by_name.config.env) == (added.id, ("A=1",))
    by_digest = store.find(f"redis@{added.manifest}")
    assert by_digest is not None
    assert by_digest.id == added.id
    assert store.find("redis:8") is None
    with pytest.raises(NoSuchImage, match="no such image: redis:8"):
        store.require("redis:8")


def test_a_name_moves_to_a_new_image_and_tells_when(
    store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, "docker.io/library/a:1", "old")
    monkeypatch.setattr("time.time", lambda: 5000.5)
    new = add(store, "docker.io/library/a:1", "new")
    old, named = store.list()
    assert (named.id, named.tagged) == (new.id, 5000.0)
    assert (old.ref, old.id == new.id) == ("", False)


def test_images_without_a_name_go_by_their_ids(store: ImageStore) -> None:
    add(store, "docker.io/library/a:1", "a")
    other = add(store, "docker.io/library/b:1", "b")
    forget(store, "docker.io/library/b:1")
    entry = Descriptor(media_type=MANIFEST, digest=other.manifest, size=1)
    assert store.add_untagged(entry) == store.add_untagged(entry)
    assert [one.ref for one in store.list()] == ["docker.io/library/a:1", ""]
    assert store.require(other.id).id == other.id
    forget(store, other.manifest)
    assert [one.ref for one in store.list()] == ["docker.io/library/a:1"]


def test_the_catalogue_is_not_believed_when_the_index_has_changed(store: ImageStore) -> None:
    add(store, "docker.io/library/a:1", "a")
    catalogue = (store.root / "catalogue.json").read_bytes()
    add(store, "docker.io/library/b:1", "b")
    files.write_atomic(store.root / "catalogue.json", catalogue)
    assert len(store.list()) == 2


def test_an_image_whose_files_are_damaged_is_passed_over(store: ImageStore) -> None:
    bad, good = add(store, "docker.io/library/a:1", "a"), add(store, "docker.io/library/b:1", "b")
    store.blob_path(bad.id).write_text("{")
    (store.root / "catalogue.json").unlink()
    assert store.list() == (good,)


def test_a_manifest_that_was_torn_is_restored(store: ImageStore) -> None:
    """skopeo writes it in place: one that is killed leaves it empty for all names of the image."""
    image = add(store, "app")
    path = store.blob_path(image.manifest)
    whole = path.read_bytes()
    path.write_bytes(whole[:10])
    assert store.manifest(image).config.digest == image.id
    assert path.read_bytes() == whole


def test_a_manifest_that_is_just_being_written_is_waited_for(
    store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = add(store, "app")
    path = store.blob_path(image.manifest)
    whole = path.read_bytes()
    path.write_bytes(b"")
    store.manifest_copy(image.manifest).unlink()
    monkeypatch.setattr("time.sleep", lambda _seconds: path.write_bytes(whole))
    assert store.manifest(image).config.digest == image.id


def test_a_name_that_moves_leaves_no_second_entry_of_an_image(store: ImageStore) -> None:
    first = add(store, "docker.io/library/a:1", "x")
    add(store, "docker.io/library/b:1", "x")
    add(store, "docker.io/library/a:1", "y")
    assert [one.ref for one in store.list()] == ["docker.io/library/b:1", "docker.io/library/a:1"]
    add(store, "docker.io/library/b:1", "y")
    assert [one.id == first.id for one in store.list() if not one.ref] == [True]
    add(store, "docker.io/library/c:1", "x")
    assert all(one.ref for one in store.list())


def test_an_image_is_not_named_where_a_part_was_collected(store: ImageStore) -> None:
    image = add(store, "docker.io/library/a:1", "x")
    forget(store, "docker.io/library/a:1")
    store.blob_path(store.manifest(image).layers[0].digest).unlink()
    with pytest.raises(BlobsMissing):
        store.add(
            "docker.io/library/a:1", Descriptor(media_type=MANIFEST, digest=image.manifest, size=1)
        )
    assert store.list() == ()


def test_a_digest_that_is_a_path_leads_nowhere(store: ImageStore, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("{}")
    os.utime(victim, (5, 5))
    config = Descriptor(media_type=CONFIG, digest="sha256:../../../victim", size=2)
    store.create_layout()
    manifest = store.write_blob(to_json(Manifest(config=config)), MANIFEST)
    with pytest.raises(StoreDamaged):
        store.add("docker.io/library/a:1", manifest)
    assert victim.stat().st_mtime == 5


def test_a_torn_index_is_not_taken_for_an_empty_one(store: ImageStore) -> None:
    add(store, "docker.io/library/a:1", "x")
    index = store.root / "index.json"
    index.write_bytes(index.read_bytes()[:-20])
    with pytest.raises(IndexUnreadable, match="cannot read the index of images"):
        add(store, "docker.io/library/b:1", "y")
    with pytest.raises(IndexUnreadable):
        store.list()
