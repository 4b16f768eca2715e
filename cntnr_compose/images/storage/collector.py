"""Remove what nothing needs any more from the image store, the layers and the build cache.

What is decided under the collector's lock is detached under it: names leave the index, records and blobs are
removed, folders renamed. A process that is killed in between leaves files that nothing refers to; the next
collection takes them. Folders of layers are removed afterwards, inside the holder, where their owners exist.
"""

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from cntnr_compose.core import paths
from cntnr_compose.core.values import Bytes, replace
from cntnr_compose.host import files
from cntnr_compose.images import leases
from cntnr_compose.images.errors import ImageReadOnly
from cntnr_compose.images.index_file import NAME_ANNOTATION, without_name
from cntnr_compose.images.storage.decisions import decide_removal, select_unused
from cntnr_compose.images.storage.detached import remove_detached
from cntnr_compose.images.storage.inventory import read_inventory
from cntnr_compose.images.storage.model import CachedFile, Inventory, Removal, StoredImage
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.oci import Descriptor, Index


class Decision(NamedTuple):
    """What is to go, and the images that stay without their names."""

    removal: Removal
    unnamed: tuple[StoredImage, ...] = ()


class Collected(NamedTuple):
    """What went, or would go; the bytes that were freed."""

    removal: Removal = Removal()
    unnamed: tuple[StoredImage, ...] = ()
    inventory: Inventory = Inventory()
    size: Bytes = 0

    @property
    def in_use(self) -> bool:
        """Whether builds or pulls under way may have kept something."""
        return self.inventory.kept_since != float("inf")


Decide = Callable[[Inventory], Decision]


def free_unneeded(store: ImageStore | None = None) -> Bytes:
    """Free the blobs, unpacked layers and records that no image, container, build or pull needs.

    For those who have removed names from the index. Return the bytes that were freed. Raises `StoreBusy`,
    `ManifestUnreadable`, `IndexUnreadable`.
    """
    return collect(lambda inventory: Decision(decide_removal(inventory)), store=store).size


def remove_unnamed(ids: Iterable[str]) -> Bytes:
    """Remove those of some images that have no name and that nothing needs; return the bytes freed.

    Raises what `free_unneeded` raises.
    """
    chosen = frozenset(ids)

    def decide(inventory: Inventory) -> Decision:
        images = select_unused(
            inventory, everything=False, condition=lambda image: image.id in chosen
        )
        return Decision(decide_removal(inventory, images))

    return collect(decide).size if chosen else 0


def remove_name(ref: str) -> bool:
    """Remove a name, and its image where it has no other one and nothing needs it.

    Return whether that was possible: an image that a container needs keeps its last name. Raises
    `NoSuchImage`, `ImageReadOnly`, and what `free_unneeded` raises.
    """
    store = ImageStore()
    image = store.require(ref)
    if image.store:
        raise ImageReadOnly(ref, image.store)
    refused = False

    def decide(inventory: Inventory) -> Decision:
        nonlocal refused
        same = [one for one in inventory.images if one.id == image.id]
        named = tuple(one for one in same if one.ref == image.ref)
        if image.id not in inventory.used_by_containers:
            return Decision(decide_removal(inventory, named))
        refused = len(same) == len(named)
        return Decision(decide_removal(inventory), () if refused else named)

    collect(decide, store=store)
    return not refused


def collect(
    decide: Decide,
    *,
    store: ImageStore | None = None,
    dry_run: bool = False,
    remove: Callable[[], Bytes] = remove_detached,
) -> Collected:
    """Take stock, decide what goes, and remove it; in the end have detached folders removed.

    Raises `StoreBusy`, `ManifestUnreadable`, `IndexUnreadable`.
    """
    # Containers may be of images in stores that only an earlier command named.
    store = store or ImageStore(for_containers=True)
    with leases.collecting(store.root) as kept_since, store.locked_index() as index:
        inventory = read_inventory(store, index, kept_since)
        decision = decide(inventory)
        size = sum(inventory.blobs[digest][0] for digest in decision.removal.blobs)
        size += _size_of(inventory.files, decision.removal.files)
        size += _size_of(inventory.artifacts, decision.removal.artifacts)
        if not dry_run:
            files.remove_stale_staging(store.root)
            _detach(store, index, decision)
            _remove_use_marks(store, inventory, decision.removal)
    if not dry_run:
        size += remove()
    return Collected(decision.removal, decision.unnamed, inventory, size)


def _size_of(entries: Iterable[CachedFile], names: Collection[str]) -> Bytes:
    return sum(entry.size for entry in entries if entry.path in names)


def _detach(store: ImageStore, index: Index, decision: Decision) -> None:
    """Take away what was decided; the order is such that whatever is left refers to what is there."""
    removal = decision.removal
    if removal.images or decision.unnamed:
        store.write_index(_without(index, removal.images, decision.unnamed))
    builds = paths.builds()
    for folder, keys in (("steps", removal.steps), ("images", removal.built)):
        for key in keys:
            (builds / folder / f"{key}.json").unlink(missing_ok=True)
    files.move_away(paths.layers(), removal.folders)
    mounts = [path.partition("/")[2] for path in removal.files if path.startswith("mounts/")]
    files.move_away(builds / "mounts", mounts)
    for path in removal.files:
        if not path.startswith("mounts/"):
            files.remove_tree(builds / path)
    for name in removal.artifacts:
        files.remove_tree(paths.artifacts() / name)
    for digest in removal.blobs:
        store.own_blob_path(digest).unlink(missing_ok=True)


def _without(
    index: Index, images: Collection[StoredImage], unnamed: Collection[StoredImage]
) -> Index:
    """Return an index without some images, and with others that have lost their names."""
    gone = {(image.ref, image.manifest) for image in images}
    nameless = {(image.ref, image.manifest) for image in unnamed}
    kept: list[Descriptor] = []
    for entry in index.manifests:
        key = (entry.annotations.get(NAME_ANNOTATION, ""), entry.digest)
        if key not in gone and key not in nameless:
            kept.append(entry)
    remaining = {entry.digest for entry in kept}
    for entry in index.manifests:
        key = (entry.annotations.get(NAME_ANNOTATION, ""), entry.digest)
        if key in nameless and entry.digest not in remaining:
            remaining.add(entry.digest)
            kept.append(without_name(entry))
    return replace(index, manifests=tuple(kept))


def _remove_use_marks(store: ImageStore, inventory: Inventory, removal: Removal) -> None:
    """Remove the marks of images that are gone, and the second copies of their manifests."""
    gone = {(image.ref, image.manifest) for image in removal.images}
    images = [one for one in inventory.images if (one.ref, one.manifest) not in gone]
    images += inventory.unnamed
    manifests = {image.manifest for image in images}
    for path in files.find_paths(store.manifest_copy(""), "[!.]*"):
        if f"sha256:{path.name}" not in manifests:
            path.unlink(missing_ok=True)
    kept = {image.id for image in images} | inventory.used_by_containers
    for path in files.find_paths(store.use_file(""), "*"):
        if f"sha256:{path.name}" not in kept and leases.last_use(path) < inventory.kept_since:
            path.unlink(missing_ok=True)
