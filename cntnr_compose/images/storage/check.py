"""Check what is stored: blobs of images there and whole, unpacked layers complete, records of builds."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from cntnr_compose.core import paths
from cntnr_compose.core.values import Bytes
from cntnr_compose.host import files
from cntnr_compose.images.index_file import NAME_ANNOTATION, IndexUnreadable, read_index
from cntnr_compose.images.layout import DIGEST, digest_of_file
from cntnr_compose.images.storage import inventory as stock
from cntnr_compose.images.storage.decisions import EMPTY_LAYER, decide_removal
from cntnr_compose.images.storage.layer_check import check_layers
from cntnr_compose.images.storage.model import Inventory
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model import image_name
from cntnr_compose.model.oci import Descriptor, Index, Manifest


class Problem(NamedTuple):
    """Something that is wrong. What is set besides the text goes in a repair."""

    text: str
    blob: str = ""
    entry: Descriptor | None = None  # of the index
    folder: str = ""  # below the layers
    stack: str = ""  # the folder of an image below the layers, whose stack is wrong
    record: str = ""  # below the build cache
    is_index: bool = False
    is_content: bool = False  # files of the folder are wrong


class Report(NamedTuple):
    """What was checked, and what is wrong."""

    problems: tuple[Problem, ...]
    images: int = 0
    blobs: int = 0
    layers: int = 0
    steps: int = 0


def check_store(
    store: ImageStore, *, quick: bool, on_blob: Callable[[str], None] = lambda _: None
) -> Report:
    """Check everything; ``quick`` computes no digests and does not look into unpacked layers.

    ``on_blob`` is called before each blob. Others may work on the store meanwhile: what seems wrong has to
    be looked at again under the collector's lock.
    """
    try:
        index = read_index(store.root)
    except IndexUnreadable:
        return Report((Problem("index.json is damaged: the names of the images", is_index=True),))
    blobs = dict(stock.list_blobs(store))
    bad = {} if quick else dict(_check_digests(store, list(blobs), on_blob))
    problems = [
        Problem(f"blob {digest}: {why}", blob=digest) for digest, why in sorted(bad.items())
    ]
    for entry in index.manifests:
        problems += _check_entry(store, entry, blobs, bad)
    folders = dict(stock.list_folders())
    problems += [*_check_folders(folders), *_check_records(store, index)]
    if not quick:
        problems += [
            Problem(f"layer {name}: {why}", folder=name, is_content=True)
            for name, why in check_layers(store, index).items()
        ]
    steps = sum(1 for _ in stock.read_steps())
    return Report(tuple(problems), len(index.manifests), len(blobs), len(folders), steps)


def _check_digests(
    store: ImageStore, digests: list[str], on_blob: Callable[[str], None]
) -> Iterator[tuple[str, str]]:
    """Compute the digests of all blobs, also of those that nothing refers to: a pull would take them."""
    for digest in digests:
        on_blob(digest)
        why = check_digest(store, digest)
        if why:
            yield digest, why


def check_digest(store: ImageStore, digest: str) -> str:
    """Return what is wrong with a blob; empty where it is whole, or gone."""
    try:
        actual = digest_of_file(store.own_blob_path(digest))
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
    return "" if actual == digest else "it does not match its digest"


def _check_entry(
    store: ImageStore, entry: Descriptor, blobs: dict[str, tuple[Bytes, float]], bad: dict[str, str]
) -> Iterator[Problem]:
    """Check that all of an image is there: an entry of the index."""
    ref = entry.annotations.get(NAME_ANNOTATION, "")
    name = f"image {image_name.familiar(ref) or entry.digest}"
    manifest = None
    if DIGEST.fullmatch(entry.digest) and entry.digest not in bad:
        with contextlib.suppress(OSError, ValueError):
            manifest = store.read_manifest(entry.digest)
    if manifest is None:
        yield Problem(f"{name}: its manifest is missing or damaged", entry=entry)
        return
    for blob in (manifest.config, *manifest.layers):
        size = blobs.get(blob.digest, (-1, 0))[0]
        if size < 0 and not store.blob_path(blob.digest).exists():
            yield Problem(f"{name}: blob {blob.digest} is missing", entry=entry)
        elif 0 <= size != blob.size:
            text = f"{name}: blob {blob.digest} has {size} bytes instead of {blob.size}"
            yield Problem(text, entry=entry, blob=blob.digest)
        elif blob.digest in bad:
            yield Problem(f"{name}: blob {blob.digest} is damaged", entry=entry)


def _check_folders(folders: dict[str, float]) -> Iterator[Problem]:
    """Check that unpacked layers are complete: they have been moved into place as a whole."""
    for name in sorted(folders):
        path = paths.layers() / name
        if name[1] == "-":
            if name != EMPTY_LAYER and not is_complete(path):
                yield Problem(f"layer {name} is not complete", folder=name)
            continue
        if (path / "rootfs").is_dir():
            continue
        stack = files.read_value(path / stock.STACK_FILE, stock.LayerFolders)
        missing = (
            [one for one in stack.lower if not has_files(paths.layers() / one)] if stack else []
        )
        if stack is None or missing:
            what = f"layer {missing[0]} is gone" if missing else "its list of layers is damaged"
            yield Problem(f"unpacked image sha256:{name}: {what}", stack=name)


def is_complete(folder: Path) -> bool:
    """Check that a folder of a layer is whole: it has its files and, where it was unpacked, its record."""
    is_step = folder.name.startswith("s-")
    return has_files(folder / "fs") and (is_step or (folder / "layer.json").is_file())


def has_files(path: Path) -> bool:
    """Check that a layer has files, or a link to those of another store, which gives way where they went."""
    return path.is_dir() or path.is_symlink()


def _check_records(store: ImageStore, index: Index) -> Iterator[Problem]:
    """Check that what the records of builds refer to is there."""
    steps = tuple(stock.read_steps())
    inventory = Inventory(steps=steps, folders=dict(stock.list_folders()))
    for key in decide_removal(inventory).steps:
        text = f"build cache: the step {key} refers to a layer that is gone"
        yield Problem(text, record=f"steps/{key}.json")
    named = {entry.digest for entry in index.manifests}
    for record in stock.read_built():
        manifest = None
        if DIGEST.fullmatch(record.manifest):
            manifest = files.read_value(store.blob_path(record.manifest), Manifest)
        whole = manifest is not None and all(
            store.blob_path(blob.digest).exists() for blob in (manifest.config, *manifest.layers)
        )
        if not whole and record.manifest not in named:
            text = f"build cache: the image {record.id or record.key} is not complete"
            yield Problem(text, record=f"images/{record.key}.json")
