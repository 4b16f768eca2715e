"""What is written into an archive of images."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from cntnr_compose.images.errors import StoreDamaged
from cntnr_compose.images.saved.archive_writer import SavedImage, write_archive
from cntnr_compose.images.store import ImageStore
from tests.unit.images.test_store import add


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


def written(store: ImageStore, *images: SavedImage) -> bytes:
    out = io.BytesIO()
    write_archive(store, images, out)
    return out.getvalue()


def test_an_archive_is_dockers_and_a_layout(store: ImageStore) -> None:
    image = add(store, "docker.io/library/a:1")
    nameless = add(store, "docker.io/library/b:1", "other")
    saved = (SavedImage(image, (image.ref, "x:5/c:2")), SavedImage(nameless))
    content = written(store, *saved)
    assert written(store, *saved) == content
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        files = {
            member.name: archive.extractfile(member).read()  # type: ignore[union-attr]
            for member in archive
            if member.isreg()
        }
    first, second = json.loads(files["manifest.json"])
    assert first["RepoTags"] == ["a:1", "x:5/c:2"]
    assert second["RepoTags"] is None
    assert first["Config"] == f"blobs/sha256/{image.id[7:]}"
    assert {first["Config"], *first["Layers"]} <= set(files)
    entries = json.loads(files["index.json"])["manifests"]
    assert [(one["digest"], one.get("annotations")) for one in entries] == [
        (image.manifest, {"io.containerd.image.name": image.ref, "org.opencontainers.image.ref.name": "1"}),
        (image.manifest, {"io.containerd.image.name": "x:5/c:2", "org.opencontainers.image.ref.name": "2"}),
        (nameless.manifest, None),
    ]  # fmt: skip


def test_an_image_with_a_missing_blob_is_not_saved(store: ImageStore) -> None:
    image = add(store, "docker.io/library/a:1")
    store.blob_path(store.manifest(image).layers[0].digest).unlink()
    with pytest.raises(StoreDamaged, match="cannot read image a:1"):
        written(store, SavedImage(image))
