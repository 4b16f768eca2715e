"""Unpack images into the lower directories of containers, complete or not at all.

Everything that writes here runs inside the namespaces, where the image's owners exist.
"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.values import Value, from_json, to_json
from cntnr_compose.host import files, process
from cntnr_compose.images import unsynced
from cntnr_compose.images.errors import UnpackerGone
from cntnr_compose.images.layers.job import WORKER_SCRIPT, UnpackJob, make_job
from cntnr_compose.images.layers.shared import link_shared_layers
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image
from cntnr_compose.model.protocol import ErrorReply

# An overlay needs a lower directory; this is the one of images without layers.
EMPTY_LAYER = "s-nothing/fs"


class LayerStack(Value, frozen=True, kw_only=True):
    """The lower directories of an image: folders below the layers, top first."""

    version: int = 1
    lower: tuple[str, ...]


def unpacked_folder(image_id: str) -> Path:
    """Return the folder of an image's unpacked files."""
    return paths.layers() / image_id.removeprefix("sha256:")


def lower_dirs(image: Image) -> tuple[Path, ...] | None:
    """Return the image's lower directories, top first; None where it is not unpacked yet."""
    return stacked_folders(image.id)


def stacked_folders(image_id: str) -> tuple[Path, ...] | None:
    """Return the folders of an image's unpacked layers, top first; None where one is missing."""
    image_folder = unpacked_folder(image_id)
    rootfs = image_folder / "rootfs"
    if rootfs.is_dir():
        return (rootfs,)
    stack = files.read_value(image_folder / "stack.json", LayerStack)
    if stack is None:
        return None
    folders = tuple(paths.layers() / name for name in stack.lower)
    return folders if all(path.is_dir() for path in folders) else None


async def ensure_unpacked(image: Image, *, store: ImageStore | None = None) -> tuple[Path, ...]:
    """Unpack the layers of an image that are not unpacked yet; return its lower directories, top first.

    Several processes may call it for the same image, or images that share layers, at once: one unpacks a
    layer, the others wait. Raises `ImageError`, `StoreDamaged`.
    """
    unsynced.move_away_unsynced()
    folders = lower_dirs(image)
    if folders is not None:
        return folders
    names = await ensure_layers(image, store=store)
    lower = tuple(f"{name}/fs" for name in reversed(names))
    if not lower:
        create_empty_layer()
    image_folder = unpacked_folder(image.id)
    image_folder.mkdir(exist_ok=True)
    files.write_value(image_folder / "stack.json", LayerStack(lower=lower or (EMPTY_LAYER,)))
    return tuple(paths.layers() / name for name in lower or (EMPTY_LAYER,))


async def ensure_layers(image: Image, *, store: ImageStore | None = None) -> list[str]:
    """Unpack the layers of an image that are not unpacked yet; return their folders, bottom first.

    What an additional store has unpacked for this user is used. Raises `ImageError`, `StoreDamaged`.
    """
    paths.make_data_folder(paths.layers())
    job = make_job(image, store or ImageStore(for_containers=True))
    link_shared_layers(job.names)
    if not all((paths.layers() / name).is_dir() for name in job.names):
        await _run_worker(job)
    return job.names


async def _run_worker(job: UnpackJob) -> None:
    """Have a process unpack the layers; when cancelled, end it, so that it leaves nothing behind."""
    import asyncio

    pipe = asyncio.subprocess.PIPE
    worker = await process.start_async(
        [sys.executable, "-P", "-c", WORKER_SCRIPT], stdin=pipe, stdout=pipe, stderr=pipe
    )
    try:
        out, err = await worker.communicate(to_json(job) + b"\n")
    finally:
        if worker.returncode is None:
            worker.terminate()
            await process.run_shielded(worker.wait())
    if worker.returncode == 0:
        return
    lines = out.splitlines()
    if not lines:
        raise UnpackerGone(job.ref, err.decode(errors="replace").strip().rpartition("\n")[2])
    reply = from_json(lines[0], ErrorReply)
    raise reply.to_error()


def create_empty_layer() -> None:
    """Create the empty folder that images without layers are based on."""
    (paths.layers() / EMPTY_LAYER).mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def draft() -> Iterator[Path]:
    """Make a temporary folder beside the layers; after a crash, the next call removes it."""
    with files.staging_folder(paths.make_data_folder(paths.layers())) as path:
        yield path
