"""Tell how much disk images, the build cache, containers and volumes take; what is shared counts once."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from cntnr_compose.core import paths
from cntnr_compose.core.values import Bytes
from cntnr_compose.images.storage import decisions
from cntnr_compose.images.storage.build_cache import with_mount_sizes
from cntnr_compose.images.storage.inventory import read_inventory
from cntnr_compose.images.storage.model import Inventory, Removal, StoredImage
from cntnr_compose.images.storage.sizes import measure_folders, measure_mounts, recorded_sizes
from cntnr_compose.images.store import ImageStore


class ImageSize(NamedTuple):
    """How much one image takes: blobs and unpacked layers, shared with others or not."""

    image: StoredImage
    shared: Bytes
    unique: Bytes


class StorageUsage(NamedTuple):
    """What the store, the layers and the build cache take, and the sizes of further folders."""

    inventory: Inventory
    images: Bytes
    images_reclaimable: Bytes
    cache: Bytes
    cache_reclaimable: Bytes
    folder_sizes: Mapping[str, Bytes]  # of layers
    other_sizes: Mapping[Path, Bytes]

    def image_sizes(self) -> list[ImageSize]:
        """Return how much each image takes, one entry for each name."""
        counts: dict[str, int] = {}
        distinct = {image.id: image for image in self.inventory.images}
        for image in distinct.values():
            for part in image.blobs | image.folders:
                counts[part] = counts.get(part, 0) + 1
        sizes = []
        for image in self.inventory.images:
            parts = image.blobs | image.folders
            unique = self._size_of(part for part in parts if counts[part] == 1)
            sizes.append(ImageSize(image, self._size_of(parts) - unique, unique))
        return sizes

    def _size_of(self, parts: Iterable[str]) -> Bytes:
        return part_sizes(parts, self.inventory, self.folder_sizes)


def measure_usage(others: Collection[Path]) -> StorageUsage:
    """Take stock, and measure; ``others`` are folders of containers and volumes.

    Raises `ManifestUnreadable`, `IndexUnreadable`, `MeasurementFailed`.
    """
    store = ImageStore()
    with store.locked_index() as index:
        inventory = read_inventory(store, index, float("inf"))
    inventory = with_mount_sizes(inventory, measure_mounts(inside=False))
    sizes = recorded_sizes(inventory.folders)
    layers = [paths.layers() / name for name in inventory.folders if name not in sizes]
    measured = measure_folders([*layers, *others])
    sizes |= {path.name: measured.pop(path) for path in layers}
    parts = {part for image in inventory.images for part in image.blobs | image.folders}
    removed = decisions.decide_removal(
        inventory, decisions.select_unused(inventory, everything=True)
    )
    going = parts & {*removed.blobs, *removed.folders}
    return StorageUsage(
        inventory=inventory,
        images=part_sizes(parts, inventory, sizes),
        images_reclaimable=part_sizes(going, inventory, sizes),
        cache=decisions.cache_size(inventory, Removal(), sizes),
        cache_reclaimable=decisions.cache_size(inventory, Removal(), sizes),
        folder_sizes=sizes,
        other_sizes=measured,
    )


def part_sizes(
    parts: Iterable[str], inventory: Inventory, folder_sizes: Mapping[str, Bytes]
) -> Bytes:
    """Add up the sizes of blobs and of folders below the layers."""
    return sum(
        inventory.blobs[part][0] if part in inventory.blobs else folder_sizes.get(part, 0)
        for part in parts
    )
