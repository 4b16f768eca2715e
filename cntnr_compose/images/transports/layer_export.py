"""Copy unpacked layers into an image store that others will read, with owners, attributes and whiteouts.

The copying is done by a process inside the namespaces, where the owners of the files exist.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError, CommandFailed
from cntnr_compose.core.values import Value, from_json, to_json
from cntnr_compose.host import files, process
from cntnr_compose.host.namespaces import rootlesskit, subids
from cntnr_compose.images.layers import squashfs, unpack
from cntnr_compose.images.layers.shared import (
    LAYERS,
    OWNERS_FILE,
    RECORD_FILE,
    OwnerMaps,
    current_maps,
)
from cntnr_compose.model.image import Image
from cntnr_compose.model.protocol import ErrorReply

EXPORT_CODE = "from cntnr_compose.images.transports.layer_export import main; main()"


class LayersNotExported(CntnrError):
    """The unpacked layers of an image cannot be written into a store."""

    def __init__(self, folder: str, why: str) -> None:
        super().__init__(f"cannot write unpacked layers into {folder}: {why}")


class OtherOwners(LayersNotExported):
    """A store has unpacked layers whose files belong to other ids of the kernel."""

    hint = "one user writes the unpacked layers of a store; others unpack their own"

    def __init__(self, folder: str) -> None:
        super().__init__(folder, "those that are there were written by another user")


class LayerExport(Value, frozen=True, kw_only=True):
    """An image, and the store into which its unpacked layers go."""

    image: Image
    folder: str


def export_layers(image: Image, folder: Path) -> None:
    """Write the unpacked layers of an image into a store.

    Raises `LayersNotExported`, and what `unpack.ensure_unpacked` raises.
    """
    request = LayerExport(image=image, folder=str(folder))
    with rootlesskit.temporary_holder("image-export") as running:
        argv = [sys.executable, "-P", "-c", EXPORT_CODE]
        argv = running.nsenter_argv(argv)
        env = {**os.environ, "PATH": process.search_path()}
        done = process.run(argv, env=env, stdin=to_json(request) + b"\n", ok=range(-64, 256))
    if done.returncode == 0:
        return
    if done.stdout:
        raise from_json(done.stdout.splitlines()[0], ErrorReply).to_error()
    last = done.stderr.strip().rpartition("\n")[2] or "the process was killed"
    raise LayersNotExported(str(folder), last)


def main() -> None:
    """Read a `LayerExport` from standard input, and carry it out; an error goes to standard output."""
    request = from_json(sys.stdin.buffer.readline(), LayerExport)
    try:
        names = asyncio.run(unpack.ensure_layers(request.image))
        _copy_layers(names, Path(request.folder))
    except CntnrError as error:
        sys.stdout.buffer.write(to_json(ErrorReply.from_error(error)) + b"\n")
        sys.stdout.buffer.flush()
        sys.exit(1)


def _copy_layers(names: Sequence[str], folder: Path) -> None:
    """Copy layers into a store. Raises `LayersNotExported`."""
    target = folder / LAYERS
    try:
        target.mkdir(exist_ok=True)
        _claim(target)
        for name in names:
            _copy_layer(paths.layers() / name, target)
    except OSError as error:
        raise LayersNotExported(str(folder), error.strerror or str(error)) from error
    except CommandFailed as error:
        why = error.stderr.strip().rpartition("\n")[2]
        raise LayersNotExported(str(folder), why) from error


def _claim(target: Path) -> None:
    """Note whose ids the files have. Raises `OtherOwners`."""
    own, known = current_maps(), files.read_value(target / OWNERS_FILE, OwnerMaps)
    if known is None:
        files.write_value(target / OWNERS_FILE, own)
    elif known != own:
        raise OtherOwners(str(target.parent))


def _copy_layer(layer: Path, target: Path) -> None:
    """Copy a layer, complete or not at all; where mksquashfs is installed, write it as a file, too.

    Raises `CommandFailed`.
    """
    file = target / f"{layer.name}{squashfs.SUFFIX}"
    if not (target / layer.name).is_dir():
        _copy_files(layer, target)
    has_owners = subids.count_mapped_ids() > 1  # with one id the file would have root's alone
    if not file.exists() and has_owners and squashfs.can_write():
        with files.staging_folder(target) as draft:
            squashfs.write(target / layer.name, draft / "file")
            (draft / "file").rename(file)


def _copy_files(layer: Path, target: Path) -> None:
    with files.staging_folder(target) as draft:
        copy = draft / "layer"
        copy.mkdir(mode=0o755)
        process.run(["cp", "-a", "--reflink=auto", f"{layer}/fs/", f"{copy}/fs"])
        (copy / RECORD_FILE).write_bytes((layer / RECORD_FILE).read_bytes())
        copy.rename(target / layer.name)
