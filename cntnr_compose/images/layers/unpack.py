"""Unpack images into the lower directories of containers, complete or not at all.

Everything that writes here runs inside the namespaces, where the image's owners exist.
"""

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CommandFailed
from cntnr_compose.core.values import Value
from cntnr_compose.host import files
from cntnr_compose.images.errors import LayerCorrupt, NoSpace
from cntnr_compose.images.layers import umoci
from cntnr_compose.images.layout import digest_of_file
from cntnr_compose.images.linked_layout import create_image_layout
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image

# The options of a mount have to fit one page, and paths of homes can be long; this leaves room for
# the upper and the work folder.
MAX_LOWERDIR_LENGTH = 3000
UMOCI_ATTEMPTS = 5  # umoci hides the reason of a failure about one time in three


class LayerStack(Value, frozen=True, kw_only=True):
    """The lower directories of a built image: folders below the layers, top first."""

    version: int = 1
    lower: tuple[str, ...]


def unpacked_folder(image_id: str) -> Path:
    """Return the folder of an image's unpacked files."""
    return paths.layers() / image_id.removeprefix("sha256:")


def lower_dirs(image: Image) -> tuple[Path, ...] | None:
    """Return the image's lower directories, top first; None where it is not unpacked yet."""
    image_folder = unpacked_folder(image.id)
    rootfs = image_folder / "rootfs"
    if rootfs.is_dir():
        return (rootfs,)
    stack = files.read_value(image_folder / "stack.json", LayerStack)
    if stack is None:
        return None
    folders = tuple(paths.layers() / name for name in stack.lower)
    if sum(len(str(path)) + 1 for path in folders) > MAX_LOWERDIR_LENGTH:
        return None
    return folders if all(path.is_dir() for path in folders) else None


async def ensure_unpacked(image: Image, *, store: ImageStore | None = None) -> tuple[Path, ...]:
    """Unpack an image unless it is unpacked, and return its lower directories, top first.

    Several processes may call it for the same image at once: one unpacks, the others wait.
    Raises `LayerCorrupt`, `NoSpace`.
    """
    folders = lower_dirs(image)
    if folders is not None:
        return folders
    store = store or ImageStore()
    paths.make_data_folder(paths.layers())
    async with _wait_for_lock(paths.layers() / f".lock-{unpacked_folder(image.id).name[:16]}"):
        folders = lower_dirs(image)
        if folders is None:
            await _unpack(image, store)
            folders = (unpacked_folder(image.id) / "rootfs",)
    return folders


async def _unpack(image: Image, store: ImageStore) -> None:
    """Unpack with umoci into a temporary folder, and move the result into place."""
    with draft() as staging:
        layout = create_image_layout(store, image, staging / "layout", tag="image")
        for attempt in range(UMOCI_ATTEMPTS):
            try:
                await umoci.unpack(layout, "image", staging / "rootfs")
                break
            except CommandFailed as error:
                # Closing after a failure, umoci may panic, and prints that instead of the reason.
                if "panic: " not in error.stderr or attempt == UMOCI_ATTEMPTS - 1:
                    raise _unpack_error(image, store, error.stderr) from error
                files.remove_tree(staging / "rootfs")
        target = unpacked_folder(image.id)
        target.mkdir(exist_ok=True)
        (staging / "rootfs").rename(target / "rootfs")


def _unpack_error(image: Image, store: ImageStore, stderr: str) -> Exception:
    """Find the reason of a failure; remove a corrupt blob, so that a pull downloads it again."""
    if "no space left on device" in stderr:
        return NoSpace(image.ref)
    for layer in store.manifest(image).layers:
        path = store.blob_path(layer.digest)
        if not path.exists():
            return LayerCorrupt(image.ref, f"{layer.digest[:19]} is missing")
        if digest_of_file(path) != layer.digest:
            path.unlink(missing_ok=True)
            return LayerCorrupt(image.ref, f"{layer.digest[:19]} does not match its digest")
    lines = [line.strip() for line in stderr.strip().splitlines()] or ["umoci failed"]
    return LayerCorrupt(image.ref, lines[-1].removeprefix("⨯ "))


@contextlib.asynccontextmanager
async def _wait_for_lock(path: Path) -> AsyncIterator[None]:
    """Hold a file lock without blocking the event loop."""
    import asyncio

    pause = 0.005
    while True:
        with files.file_lock(path, wait=False) as is_held:
            if is_held:
                yield
                return
        await asyncio.sleep(pause)
        pause = min(pause * 2, 0.1)


@contextlib.contextmanager
def draft() -> Iterator[Path]:
    """Make a temporary folder beside the layers; after a crash, the next call removes it."""
    with files.staging_folder(paths.make_data_folder(paths.layers())) as path:
        yield path
