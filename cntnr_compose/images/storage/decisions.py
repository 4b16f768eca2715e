"""Decide what goes and what stays. Pure: values in, values out."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from cntnr_compose.core.frozen import Bytes, Seconds
from cntnr_compose.images.storage.model import (
    CachedFile,
    CachedStep,
    Inventory,
    Removal,
    StoredImage,
)

EMPTY_LAYER = "s-nothing"
NEVER: Seconds = float("-inf")
Condition = Callable[[StoredImage], bool]


def needed_ids(inventory: Inventory) -> frozenset[str]:
    """Return the ids of the images that containers and builds under way need."""
    in_use = {image.id for image in inventory.images if image.used >= inventory.kept_since}
    return inventory.used_by_containers | in_use | {image.id for image in inventory.unnamed}


def select_unused(
    inventory: Inventory, *, everything: bool, condition: Condition = lambda _image: True
) -> tuple[StoredImage, ...]:
    """Select the images that no container needs: those without a name, or all; for `image prune`."""
    needed = needed_ids(inventory)
    return tuple(
        image
        for image in inventory.images
        if image.id not in needed and (everything or not image.ref) and condition(image)
    )


def select_expired(
    inventory: Inventory,
    *,
    unused_before: Seconds,
    named_before: Seconds = NEVER,
    max_names: int = 0,
    repository: Callable[[str], str],
) -> tuple[tuple[StoredImage, ...], tuple[StoredImage, ...]]:
    """Select for `image gc` the images that go, and the names that go while their images stay.

    Names go that were given, and their images used, before ``named_before``, and all but the newest
    ``max_names`` names of a repository; images without a name that were used last before ``unused_before``.
    """
    needed = needed_ids(inventory)
    surplus = _surplus_names(inventory.images, max_names, repository) if max_names else set()
    images, names = [], []
    for image in inventory.images:
        if image.id in needed or (
            image.ref and image.ref not in surplus and image.last_use >= named_before
        ):
            continue
        if image.last_use < unused_before:
            images.append(image)
        elif image.ref:
            names.append(image)
    return tuple(images), tuple(names)


def _surplus_names(
    images: Iterable[StoredImage], count: int, repository: Callable[[str], str]
) -> set[str]:
    names: dict[str, list[tuple[Seconds, int, str]]] = {}
    for number, image in enumerate(images):  # the index has the newest last
        if image.ref:
            entry = (image.tagged, number, image.ref)
            names.setdefault(repository(image.ref), []).append(entry)
    return {ref for group in names.values() for _, _, ref in sorted(group)[:-count]}


def decide_removal(
    inventory: Inventory,
    images: Collection[StoredImage] = (),
    *,
    cache_before: Seconds = NEVER,
    shared_too: bool = False,
    artifacts_before: Seconds = NEVER,
) -> Removal:
    """Decide what goes when images leave the index and the build cache is emptied.

    Of the cache goes what was used last before ``cache_before``, images without a name that were built here
    included; records whose files an image needs stay but for ``shared_too``. Of the artifacts those go that
    were used last before ``artifacts_before``. What nothing refers to goes. An image that a build under way
    needs loses its name only.
    """
    needed = needed_ids(inventory)
    stale = [
        image
        for image in inventory.images
        if not image.ref and image.is_built and image.last_use < cache_before
        if image.id not in needed
    ]
    going = {
        (image.ref, image.manifest)
        for image in (*images, *stale)
        if image.id not in inventory.used_by_containers
    }
    removed = tuple(one for one in inventory.images if (one.ref, one.manifest) in going)
    kept = [one for one in inventory.images if (one.ref, one.manifest) not in going]
    kept += [*inventory.unnamed, *(image for image in removed if image.id in needed)]
    image_folders = {name for image in kept for name in image.folders}
    steps = _kept_steps(
        inventory, set() if shared_too else image_folders, cache_before=cache_before
    )
    kept_ids = {image.id for image in kept} | needed
    folders = image_folders | {step.folder for step in steps} | {EMPTY_LAYER}
    blobs = {digest for image in kept for digest in image.blobs}
    since = inventory.kept_since
    kept_keys = {step.key for step in steps}
    return Removal(
        images=removed,
        blobs=_unneeded({name: used for name, (_, used) in inventory.blobs.items()}, blobs, since),
        folders=_unneeded(inventory.folders, folders, since),
        steps=tuple(step.key for step in inventory.steps if step.key not in kept_keys),
        built=tuple(
            record.key
            for record in inventory.built
            if record.used < since and record.id not in kept_ids
        ),
        files=_used_before(inventory.files, min(cache_before, since)),
        artifacts=_used_before(inventory.artifacts, min(artifacts_before, since)),
    )


def _used_before(entries: Iterable[CachedFile], limit: Seconds) -> tuple[str, ...]:
    return tuple(entry.path for entry in entries if entry.used < limit)


def cache_size(inventory: Inventory, removal: Removal, folder_sizes: Mapping[str, Bytes]) -> Bytes:
    """Add up what only the build cache needs, once something is removed."""
    needed = needed_ids(inventory)
    others = [
        image
        for image in (*inventory.images, *inventory.unnamed)
        if image.ref or not image.is_built or image.id in needed
    ]
    folders = {name for image in others for name in image.folders} | {*removal.folders}
    blobs = {digest for image in others for digest in image.blobs} | {*removal.blobs}
    cached = {name for step in inventory.steps for name in (step.folder, *step.below)}
    built = [image for image in inventory.images if not image.ref and image.is_built]
    cached |= {name for image in built for name in image.folders}
    cached_blobs = {digest for image in built for digest in image.blobs}
    return (
        sum(folder_sizes.get(name, 0) for name in cached - folders)
        + sum(inventory.blobs.get(digest, (0, 0))[0] for digest in cached_blobs - blobs)
        + sum(file.size for file in inventory.files if file.path not in removal.files)
    )


def cache_times(inventory: Inventory) -> list[Seconds]:
    """List when each part of the build cache was used last."""
    times = [step.used for step in inventory.steps] + [file.used for file in inventory.files]
    built = (image for image in inventory.images if not image.ref and image.is_built)
    return times + [image.last_use for image in built]


def _unneeded(times: dict[str, Seconds], needed: set[str], since: Seconds) -> tuple[str, ...]:
    """Return the names of what nothing needs and nobody has used since a time."""
    return tuple(name for name, used in times.items() if name not in needed and used < since)


def _kept_steps(
    inventory: Inventory, shared: Collection[str], *, cache_before: Seconds
) -> list[CachedStep]:
    """Return the steps that stay: recent or shared ones whose folders, and all below, are there.

    A step that lies on a folder which goes can never be found again: the next build makes another one there.
    """
    candidates = {
        step.key: step
        for step in inventory.steps
        if step.used >= inventory.kept_since
        or (
            (step.used >= cache_before or _top_folder(step) in shared)
            and (not step.folder or step.folder in inventory.folders)
        )
    }
    folders = {step.folder for step in candidates.values()}
    while True:
        broken = [
            step
            for step in candidates.values()
            if step.used < inventory.kept_since and not folders.issuperset(step.below)
        ]
        if not broken:
            return list(candidates.values())
        for step in broken:
            del candidates[step.key]
        folders = {step.folder for step in candidates.values()}


def _top_folder(step: CachedStep) -> str:
    return step.folder or next(iter(step.below), "")


def choose_cutoff(times: Sequence[Seconds], fits: Callable[[Seconds], bool]) -> Seconds:
    """Return the earliest of times (or `NEVER`) such that removing what was used before it suffices.

    ``fits`` tells whether what is left is small enough; where nothing is, the latest is returned.
    """
    cutoffs = [NEVER, *sorted({*times, max(times, default=0) + 1})]
    low, high = 0, len(cutoffs) - 1
    while low < high:
        middle = (low + high) // 2
        if fits(cutoffs[middle]):
            high = middle
        else:
            low = middle + 1
    return cutoffs[low]
