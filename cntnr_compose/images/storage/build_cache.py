"""Keep the build cache within a size: what was used longest ago goes first."""

import shutil
import time
from collections.abc import Callable, Mapping

from cntnr_compose.core import paths
from cntnr_compose.core.values import Bytes, Seconds
from cntnr_compose.host import files
from cntnr_compose.images.storage import decisions
from cntnr_compose.images.storage.collector import Collected, Decision, collect
from cntnr_compose.images.storage.detached import remove_detached, remove_here
from cntnr_compose.images.storage.inventory import read_inventory
from cntnr_compose.images.storage.model import Inventory, Removal
from cntnr_compose.images.storage.sizes import measure_mounts, recorded_sizes
from cntnr_compose.images.store import ImageStore

DEFAULT_LIMIT: Bytes = 20 << 30
DISK_SHARE = 0.1  # of the disk, where that is less


def default_limit() -> Bytes:
    """Return how large the build cache may become where the user has set nothing."""
    folder = paths.make_data_folder(paths.builds())
    return min(DEFAULT_LIMIT, int(shutil.disk_usage(folder).total * DISK_SHARE))


def with_mount_sizes(inventory: Inventory, sizes: Mapping[str, Bytes]) -> Inventory:
    """Return an inventory that knows the sizes of cache mounts."""
    files = (
        file._replace(size=sizes.get(file.path.removeprefix("mounts/"), file.size))
        if file.path.startswith("mounts/")
        else file
        for file in inventory.files
    )
    return inventory._replace(files=tuple(files))


def prune_cache(
    *,
    before: Seconds | None = None,
    keep: Bytes = 0,
    shared_too: bool = False,
    inside: bool = False,
    choose: Callable[[Removal, Inventory], Removal] = lambda removal, _inventory: removal,
) -> Collected:
    """Remove what was used longest ago, until no more than ``keep`` bytes are left, and only what was not
    used since ``before``.

    Raises what `collect` raises.
    """
    mounts = measure_mounts(inside=inside)
    folders = recorded_sizes(path.name for path in files.find_paths(paths.layers(), "s-*"))

    def decide(inventory: Inventory) -> Decision:
        stock = with_mount_sizes(inventory, mounts)
        return Decision(choose(_decide(stock, folders, before, keep, shared_too), stock))

    return collect(decide, remove=remove_here if inside else remove_detached)


def _decide(
    inventory: Inventory,
    folders: Mapping[str, Bytes],
    before: Seconds | None,
    keep: Bytes,
    shared_too: bool,  # noqa: FBT001 - an inner function
) -> Removal:
    def removal(cutoff: Seconds) -> Removal:
        return decisions.decide_removal(inventory, cache_before=cutoff, shared_too=shared_too)

    latest = time.time() + 1 if before is None else before
    if not keep:
        return removal(latest)
    cutoff = decisions.choose_cutoff(
        decisions.cache_times(inventory),
        lambda time: decisions.cache_size(inventory, removal(time), folders) <= keep,
    )
    return removal(min(cutoff, latest))


def limit_cache(limit: Bytes | None) -> Collected | None:
    """Keep the build cache within a limit, at the end of a build, from inside the holder.

    Quick where it is not reached: it is estimated by the records of sizes, without the lock. 0 means none.
    Raises what `collect` raises.
    """
    limit = default_limit() if limit is None else limit
    if not limit or _upper_bound() <= limit:
        return None
    store = ImageStore()
    with store.locked_index() as index:
        stock = read_inventory(store, index, float("inf"))
    stock = with_mount_sizes(stock, measure_mounts(inside=True))
    sizes = recorded_sizes(name for name in stock.folders if name.startswith("s-"))
    if decisions.cache_size(stock, Removal(), sizes) <= limit:
        return None
    return prune_cache(keep=int(limit * 0.9), inside=True)  # so that not each build has to


def _upper_bound() -> Bytes:
    """Estimate how large the cache is at most: each step as its folder and as a layer."""
    sizes = recorded_sizes(path.name for path in files.find_paths(paths.layers(), "s-*"))
    downloads = files.find_statuses(paths.builds() / "downloads", "[!.]*").values()
    downloaded = sum(status.st_size for status in downloads)
    return 2 * sum(sizes.values()) + downloaded + sum(measure_mounts(inside=True).values())
