"""Filters of `builder prune`, and what it prints."""

import time
from collections.abc import Callable, Mapping, Sequence

from cntnr_compose.cli.flows.images.reclaiming import parse_age
from cntnr_compose.cli.flows.resource_lists import FilterInvalid
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.units import InvalidSize, parse_size
from cntnr_compose.core.values import Bytes, Seconds
from cntnr_compose.images.storage.collector import Collected
from cntnr_compose.images.storage.model import Inventory, Removal

# BuildKit's words for the kinds of records, and which files of the cache each stands for.
FILE_KINDS: Mapping[str, tuple[str, ...]] = {
    "exec.cachemount": ("mounts/",),
    "source.http": ("downloads/",),
    "source.git": ("git/",),
    "internal": ("digests/", "contents/"),
}
STEPS = "regular"


class StorageInvalid(CntnrError):
    """A size is none."""

    hint = "write a size such as 500MB or 10GB"

    def __init__(self, text: str) -> None:
        super().__init__(f'invalid size "{text}" for --keep-storage')


def parse_unused_for(filters: Mapping[str, Sequence[str]]) -> Seconds | None:
    """Return the time before which what goes was used last; None where that does not matter.

    Raises `AgeInvalid`.
    """
    texts = [*filters.get("until", ()), *filters.get("unused-for", ())]
    ages = [parse_age("--filter until", text) for text in texts]
    return time.time() - max(ages) if ages else None


def parse_storage(text: str) -> Bytes:
    """Parse a size; 0 for an empty text. Raises `StorageInvalid`."""
    try:
        size = parse_size(text) if text else 0
    except InvalidSize as error:
        raise StorageInvalid(text) from error
    if size < 0:
        raise StorageInvalid(text)
    return size


def choose_kinds(kinds: Sequence[str]) -> Callable[[Removal, Inventory], Removal]:
    """Return what leaves only some kinds of records in what is removed. Raises `FilterInvalid`."""
    for kind in kinds:
        if kind not in (STEPS, *FILE_KINDS):
            known = ", ".join((STEPS, *FILE_KINDS))
            raise FilterInvalid(f"type={kind}", f"it can be {known}")
    prefixes = tuple(prefix for kind in kinds for prefix in FILE_KINDS.get(kind, ()))

    def choose(removal: Removal, _inventory: Inventory) -> Removal:
        if not kinds:
            return removal
        paths = tuple(path for path in removal.files if path.startswith(prefixes))
        return (removal if STEPS in kinds else Removal())._replace(files=paths)

    return choose


def removed_records(collected: Collected) -> list[str]:
    """List what went of the build cache: keys of steps, names of files, ids of images without a name."""
    removal = collected.removal
    return [*(image.id for image in removal.images), *removal.steps, *removal.files]
