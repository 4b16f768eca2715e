"""Unpacked images: the lower directories that containers lie on. Complete or absent.

Everything that writes here runs inside the holder, where the image's owners exist.
"""

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CommandFailed
from cntnr_compose.core.values import Value
from cntnr_compose.host import files
from cntnr_compose.images import umoci
from cntnr_compose.images.skopeo import LayerCorrupt, NoSpace
from cntnr_compose.images.store import ImageStore, create_image_layout, digest_of_file
from cntnr_compose.model.image import Image

# The options of a mount have to fit one page, and paths of homes can be long; this leaves room for
# the upper and the work folder.
MAX_LOWERDIR_LENGTH = 3000
UMOCI_ATTEMPTS = 5  # of umoci, which hides its reason about one time in three


class LayerStack(Value, frozen=True, kw_only=True):
    """What a built image lies on: folders in the layer store, top first."""

    version: int = 1
    lower: tuple[str, ...]


def unpacked_folder(image_id: str) -> Path:
    """Name the folder of an image's unpacked files."""
    return paths.layers() / image_id.removeprefix("sha256:")


def lower_dirs(image: Image) -> tuple[Path, ...] | None:
    """Give the image's lower directories, top first; None where it has to be unpacked first."""
    own = unpacked_folder(image.id)
    rootfs = own / "rootfs"
    if rootfs.is_dir():
        return (rootfs,)
    stack = files.read_value(own / "stack.json", LayerStack)
    if stack is None:
        return None
    found = tuple(paths.layers() / name for name in stack.lower)
    if sum(len(str(path)) + 1 for path in found) > MAX_LOWERDIR_LENGTH:
        return None
    return found if all(path.is_dir() for path in found) else None


async def ensure_unpacked(image: Image, *, store: ImageStore | None = None) -> tuple[Path, ...]:
    """Unpack an image unless that was done, and give its lower directories, top first.

    Several processes may ask for the same image at once: one unpacks, the others wait.
    Raises `LayerCorrupt`, `NoSpace`.
    """
    found = lower_dirs(image)
    if found is not None:
        return found
    store = store or ImageStore()
    paths.make_data_folder(paths.layers())
    async with _wait_for_lock(paths.layers() / f".lock-{unpacked_folder(image.id).name[:16]}"):
        found = lower_dirs(image)
        if found is None:
            await _unpack(image, store)
            found = (unpacked_folder(image.id) / "rootfs",)
    return found


async def _unpack(image: Image, store: ImageStore) -> None:
    with draft() as making:
        layout = create_image_layout(store, image, making / "layout", tag="image")
        for attempt in range(UMOCI_ATTEMPTS):
            try:
                await umoci.unpack(layout, "image", making / "rootfs")
                break
            except CommandFailed as error:
                # Closing after a failure, umoci may trip over itself, and says that instead.
                if "panic: " not in error.stderr or attempt == UMOCI_ATTEMPTS - 1:
                    raise _unpack_error(image, store, error.stderr) from error
                files.remove_tree(making / "rootfs")
        target = unpacked_folder(image.id)
        target.mkdir(exist_ok=True)
        (making / "rootfs").rename(target / "rootfs")


def _unpack_error(image: Image, store: ImageStore, said: str) -> Exception:
    """Find the reason of a failure; a blob that lies is removed, so that a pull gets it again."""
    if "no space left on device" in said:
        return NoSpace(image.ref)
    for layer in store.manifest(image).layers:
        path = store.blob_path(layer.digest)
        if not path.exists():
            return LayerCorrupt(image.ref, f"{layer.digest[:19]} is missing")
        if digest_of_file(path) != layer.digest:
            path.unlink(missing_ok=True)
            return LayerCorrupt(image.ref, f"{layer.digest[:19]} does not match its digest")
    lines = [line.strip() for line in said.strip().splitlines()] or ["umoci failed"]
    return LayerCorrupt(image.ref, lines[-1].removeprefix("⨯ "))


@contextlib.asynccontextmanager
async def _wait_for_lock(path: Path) -> AsyncIterator[None]:
    """Hold a file lock without blocking the event loop."""
    import asyncio

    pause = 0.005
    while True:
        with files.file_lock(path, wait=False) as mine:
            if mine:
                yield
                return
        await asyncio.sleep(pause)
        pause = min(pause * 2, 0.1)


@contextlib.contextmanager
def draft() -> Iterator[Path]:
    """Make a folder beside the layers that is gone afterwards; killed, the next one removes it."""
    with files.staging_folder(paths.make_data_folder(paths.layers())) as path:
        yield path
