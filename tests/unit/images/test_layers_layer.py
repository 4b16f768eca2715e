"""Layers in the layer store: complete or absent, in any order, by whoever comes first."""

import gzip
import hashlib
import os
import threading
from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.core.values import to_json
from cntnr_compose.host import files, process
from cntnr_compose.images.errors import ImageError, LayerCorrupt, NoSpace, OwnerUnknown
from cntnr_compose.images.layers import unpack
from cntnr_compose.images.layers.job import LayerSource, UnpackJob, layer_names, make_job
from cntnr_compose.images.layers.layer import LayerRecord, ensure_layer
from cntnr_compose.images.layout import digest_of
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image
from cntnr_compose.model.oci import CONFIG, MANIFEST, Descriptor, Manifest
from tests.unit.images.layer_archives import archive, entry, folder

BOTTOM = archive(folder("a", mode=0o700), entry("a/x", b"1"))
TOP = archive(entry("a/y", b"2"))


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageStore:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    paths.make_data_folder(paths.layers())
    store = ImageStore()
    store.create_layout()
    return store


def add_blob(store: ImageStore, content: bytes) -> str:
    return store.write_blob(content, "layer").digest


def make(store: ImageStore, *contents: bytes, diff_id: str = "") -> UnpackJob:
    """Put layers into the store, compressed."""
    layers = []
    for content in contents:
        digest = add_blob(store, gzip.compress(content))
        path = str(store.blob_path(digest))
        own = diff_id or digest_of(content)
        layers.append(LayerSource(diff_id=own, digest=digest, path=path))
    return UnpackJob(ref="docker.io/library/x:1", store=str(store.root), layers=tuple(layers))


def ensure(job: UnpackJob, number: int) -> Path:
    with process.umask(0):
        ensure_layer(job, number)
    return paths.layers() / job.names[number]


def drafts() -> list[Path]:
    return list(paths.layers().glob(".draft-*"))


def test_a_layer_is_named_by_its_chain_id() -> None:
    first, second = (f"sha256:{letter * 64}" for letter in "ab")
    chain = hashlib.sha256(f"{first} {second}".encode()).hexdigest()
    assert layer_names([first, second]) == ["c-" + "a" * 64, f"c-{chain}"]
    assert layer_names([]) == []


def test_a_layer_needs_those_below_it(store: ImageStore) -> None:
    job = make(store, BOTTOM, TOP)
    top = ensure(job, 1)
    assert (top / "fs/a/y").read_bytes() == b"2"
    assert (top / "fs/a").stat().st_mode & 0o777 == 0o700
    assert (paths.layers() / job.names[0] / "fs/a/x").read_bytes() == b"1"
    record = files.read_value(top / "layer.json", LayerRecord)
    assert record == LayerRecord(diff_id=job.layers[1].diff_id, size=1, entries=1)
    assert not drafts()


def test_what_is_unpacked_is_left_alone(store: ImageStore) -> None:
    job = make(store, BOTTOM)
    layer = ensure(job, 0)
    (layer / "fs/mark").touch()
    ensure(job, 0)
    assert (layer / "fs/mark").exists()


def test_several_at_once_unpack_each_layer_once(store: ImageStore) -> None:
    job = make(store, *(archive(entry(f"f{number}", os.urandom(100_000))) for number in range(5)))
    errors: list[ImageError] = []

    def work(number: int) -> None:
        try:
            ensure_layer(job, number)
        except ImageError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in (4, 3, 2, 4, 1, 0, 4)]
    with process.umask(0):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert not errors
    for number, name in enumerate(job.names):
        assert os.listdir(paths.layers() / name / "fs") == [f"f{number}"]
    assert not drafts()


def test_a_corrupt_blob_is_removed(store: ImageStore) -> None:
    job = make(store, BOTTOM)
    blob = store.blob_path(job.layers[0].digest)
    blob.write_bytes(blob.read_bytes()[:50])
    with pytest.raises(LayerCorrupt, match="does not match its digest"):
        ensure(job, 0)
    assert not blob.exists()
    with pytest.raises(LayerCorrupt, match="is missing"):
        ensure(job, 0)
    assert not drafts()
    assert not list(paths.layers().glob("c-*"))


def test_a_blob_with_another_content_than_the_image_says_stays(store: ImageStore) -> None:
    wrong = make(store, TOP, diff_id=digest_of(BOTTOM))
    with pytest.raises(LayerCorrupt, match="its content does not match"):
        ensure(wrong, 0)
    assert store.blob_path(wrong.layers[0].digest).exists()
    assert not list(paths.layers().glob("c-*"))


@pytest.mark.parametrize(
    ("content", "kind", "text"),
    [
        (archive(entry("../x")), LayerCorrupt, "leads out of the image"),
        (archive(entry("n" * 300)), LayerCorrupt, "File name too long"),
        (archive(entry("f", uid=(1 << 32) - 1)), OwnerUnknown, "outside your subordinate ids"),
        (b"no archive" * 100, LayerCorrupt, "no tar archive"),
    ],
)
def test_errors_tell_what_is_wrong(
    store: ImageStore, content: bytes, kind: type[ImageError], text: str
) -> None:
    with pytest.raises(kind, match=text):
        ensure(make(store, content), 0)
    assert not drafts()


def test_a_full_disk(store: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    job = make(store, BOTTOM)
    monkeypatch.setattr("cntnr_compose.images.layers.extract._write_all", fail)
    with pytest.raises(NoSpace):
        ensure(job, 0)


def digests(job: UnpackJob) -> list[str]:
    return [layer.digest for layer in job.layers]


def diff_ids(job: UnpackJob) -> list[str]:
    return [layer.diff_id for layer in job.layers]


def image_of(store: ImageStore, job: UnpackJob, config: object) -> Image:
    written = store.write_blob(to_json(config), CONFIG)
    layers = tuple(Descriptor(media_type="layer", digest=digest, size=1) for digest in digests(job))
    manifest = store.write_blob(to_json(Manifest(config=written, layers=layers)), MANIFEST)
    return Image(id=written.digest, ref=job.ref, manifest=manifest.digest)


def test_the_layers_of_an_image(store: ImageStore) -> None:
    job = make(store, BOTTOM, TOP)
    image = image_of(store, job, {"rootfs": {"diff_ids": diff_ids(job)}})
    assert make_job(image, store) == job
    assert unpack.lower_dirs(image) is None


@pytest.mark.parametrize(
    "config",
    [
        {}, {"rootfs": []}, {"rootfs": {"diff_ids": "x"}}, {"rootfs": {"diff_ids": [1, 2]}},
        {"rootfs": {"diff_ids": ["sha256:../../x"] * 2}}, {"rootfs": {"diff_ids": None}},
        {"rootfs": {"diff_ids": ["sha256:" + "a" * 64]}},
    ],
)  # fmt: skip
def test_configurations_that_do_not_fit(store: ImageStore, config: object) -> None:
    image = image_of(store, make(store, BOTTOM, TOP), config)
    with pytest.raises(LayerCorrupt):
        make_job(image, store)


def test_lower_directories_of_all_kinds_of_images() -> None:
    image = Image(id="sha256:" + "a" * 64, ref="x", manifest="")
    image_folder = unpack.unpacked_folder(image.id)
    for name in ("c-1/fs", "s-2/fs"):
        (paths.layers() / name).mkdir(parents=True)
    image_folder.mkdir()
    stack = unpack.LayerStack(lower=("s-2/fs", "c-1/fs"))
    files.write_value(image_folder / "stack.json", stack)
    assert unpack.lower_dirs(image) == (paths.layers() / "s-2/fs", paths.layers() / "c-1/fs")
    (paths.layers() / "c-1/fs").rmdir()
    assert unpack.lower_dirs(image) is None
    (image_folder / "rootfs").mkdir()  # of a store of before
    assert unpack.lower_dirs(image) == (image_folder / "rootfs",)
