"""Check that unpacked layers have all that their blobs have: a process inside the holder, which can see it.

It reads the layers to check as a line of JSON from standard input, and writes what is wrong as another one.
"""

import contextlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.values import Bytes, Value, from_json, to_json
from cntnr_compose.host import files, process
from cntnr_compose.host.namespaces import rootlesskit
from cntnr_compose.host.openat2 import Root
from cntnr_compose.images.layers.archive import tar_reader
from cntnr_compose.images.layers.archive.decompress import StreamDamaged
from cntnr_compose.images.layers.archive.stream import LayerStream
from cntnr_compose.images.layers.extract import WHITEOUT_PREFIX
from cntnr_compose.images.layers.folders import LeadsOut, clean_name, split_name
from cntnr_compose.images.layers.job import layer_names
from cntnr_compose.images.layout import DIGEST
from cntnr_compose.images.storage import inventory as stock
from cntnr_compose.images.storage.sizes import LayerSize, MeasurementFailed
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.oci import Index

CHECK_CODE = "from cntnr_compose.images.storage.layer_check import main; main()"


class LayerToCheck(Value, frozen=True, kw_only=True):
    """A folder below the layers, and the blob that it was unpacked from or packed into."""

    name: str
    blob: str


def check_layers(store: ImageStore, index: Index) -> dict[str, str]:
    """Return what is wrong with the content of unpacked layers, by name. Raises `MeasurementFailed`."""
    layers = list(_list_layers(store, index))
    if not layers:
        return {}
    with rootlesskit.temporary_holder("image-fsck") as running:
        argv = running.nsenter_argv([sys.executable, "-P", "-c", CHECK_CODE])
        env = {**os.environ, "PATH": process.search_path()}
        done = process.run(argv, env=env, stdin=to_json(layers) + b"\n", ok=range(-64, 256))
    if done.returncode != 0:
        raise MeasurementFailed(done.stderr)
    return from_json(done.stdout, dict[str, str])


def _list_layers(store: ImageStore, index: Index) -> Iterator[LayerToCheck]:
    """List the folders whose blobs are here, each once."""
    blobs: dict[str, str] = {}
    for entry in index.manifests:
        with contextlib.suppress(OSError, ValueError):
            manifest = store.read_manifest(entry.digest)
            rootfs = stock.read_config(store, manifest.config.digest).get("rootfs")
            diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
            names = layer_names(map(str, diff_ids if isinstance(diff_ids, list) else ()))
            blobs |= {
                name: layer.digest for name, layer in zip(names, manifest.layers, strict=False)
            }
    for name, _ in stock.list_folders():
        if name.startswith("s-"):
            record = files.read_value(paths.layers() / name / "layer.json", LayerSize)
            blobs[name] = record.layer.digest if record else ""
        digest = blobs.get(name, "")
        path = store.blob_path(digest)
        if DIGEST.fullmatch(digest) and path.exists():
            yield LayerToCheck(name=name, blob=str(path))


def main() -> None:
    """Check the layers that standard input names."""
    layers = from_json(sys.stdin.buffer.readline(), list[LayerToCheck])
    problems = {layer.name: why for layer in layers if (why := check_layer(layer))}
    sys.stdout.write(to_json(problems).decode() + "\n")
    sys.stdout.flush()


def check_layer(layer: LayerToCheck) -> str:
    """Return what is wrong with a layer's folder; empty where it is whole, or gone meanwhile."""
    folder = paths.layers() / layer.name / "fs"
    try:
        with LayerStream(Path(layer.blob)) as stream:
            expected = _read_listing(stream)
    except (OSError, StreamDamaged, LeadsOut):
        return ""  # of the blob, which is checked by its digest
    try:
        with Root(folder) as root:
            why = next(_compare(root, expected.items()), "")
    except OSError:
        return ""
    return why if folder.is_dir() else ""


def _read_listing(stream: LayerStream) -> dict[str, tuple[bytes, Bytes]]:
    """Read the types and sizes of all files that a layer has in the end, by path."""
    listing: dict[str, tuple[bytes, Bytes]] = {}
    for entry in tar_reader.read_entries(stream):
        path = clean_name(entry.name)
        name = split_name(path)[1]
        stream.skip(entry.size)
        if not name or name.startswith(WHITEOUT_PREFIX):
            continue
        if path in listing and listing[path][0] != entry.type == tar_reader.FOLDER:
            del listing[path]
        elif listing.get(path, (b"",))[0] == tar_reader.FOLDER != entry.type:
            below = [other for other in listing if other.startswith(f"{path}/")]
            for other in below:
                del listing[other]
        size = entry.sparse.size if entry.sparse else entry.size
        listing[path] = (entry.type, size)
    return listing


def _compare(root: Root, expected: Iterable[tuple[str, tuple[bytes, Bytes]]]) -> Iterator[str]:
    """Yield what is wrong with the files below a root."""
    opened, descriptor = "", root.open("", os.O_PATH | os.O_DIRECTORY)
    try:
        for path, (kind, size) in expected:
            folder, name = split_name(path)
            try:
                if folder != opened:
                    os.close(descriptor)
                    descriptor, opened = -1, folder
                    descriptor = root.open(folder, os.O_PATH | os.O_DIRECTORY)
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except OSError:
                yield f"{path} is missing"
                return
            if kind == tar_reader.FOLDER and not stat.S_ISDIR(status.st_mode):
                yield f"{path} is no folder"
            elif kind == tar_reader.REGULAR and status.st_size != size:
                yield f"{path} has {status.st_size} bytes instead of {size}"
    finally:
        if descriptor >= 0:
            os.close(descriptor)
