"""What cntnr knows of a bundle beside config.json, its lock, and when it was used last."""

import contextlib
import os
import time
from collections.abc import Iterator

from cntnr_compose.bundles.place import BundlePlace
from cntnr_compose.containers.bundle.stored_rootfs import FACTS
from cntnr_compose.containers.state import records
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.files import locks
from cntnr_compose.core.names import STANDALONE
from cntnr_compose.core.values import Seconds, Value
from cntnr_compose.host import files
from cntnr_compose.host.namespaces import holder


class BundleLocked(CntnrError):
    """Somebody changes a bundle, or its container lives."""

    hint = "wait until its container has ended, or end it"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"bundle {name} is in use: its container runs, or another command changes it"
        )


class BundleRecord(Value, frozen=True, kw_only=True):
    """A bundle that `create` has written."""

    version: int = 1
    image: str = ""  # as it was named; empty where the root file system is somebody else's
    image_id: str = ""
    created: Seconds = 0
    updated: Seconds = 0
    command: tuple[str, ...] = ()


def read_record(place: BundlePlace) -> BundleRecord | None:
    """Read the record of a bundle; None where it is somebody else's, or torn."""
    path = place.path / FACTS
    return None if path.is_symlink() else files.read_value(path, BundleRecord)


def write_record(place: BundlePlace, record: BundleRecord) -> None:
    """Write the record of a bundle."""
    files.write_value(place.path / FACTS, record)


def last_used(place: BundlePlace) -> Seconds:
    """Return when a bundle was made, changed or run last; 0 where it is half of one."""
    try:
        return (place.path / FACTS).lstat().st_mtime
    except OSError:
        return 0


def mark_used(place: BundlePlace) -> None:
    """Note that a bundle is used now."""
    now = time.time()
    with contextlib.suppress(OSError):
        os.utime(place.path / FACTS, (now, now), follow_symlinks=False)


@contextlib.contextmanager
def lock(place: BundlePlace) -> Iterator[int]:
    """Lock a bundle, at once or not at all; yield the descriptor, which may be passed on.

    Raises `BundleLocked`, `HomeNotWritable`.
    """
    try:
        descriptor = files.acquire_lock(place.lock)
    except OSError as error:
        raise paths.HomeNotWritable(place.path, error.strerror or str(error)) from None
    if descriptor is None:
        raise BundleLocked(place.name)
    try:
        if is_mounted(place):
            raise BundleLocked(place.name)
        yield descriptor
    finally:
        os.close(descriptor)


def is_locked(place: BundlePlace) -> bool:
    """Check whether a bundle is locked, or a container of cntnr runs in it."""
    return locks.is_locked(place.lock) or is_mounted(place)


def is_mounted(place: BundlePlace) -> bool:
    """Check whether a container of cntnr runs in a bundle."""
    if holder.find_holder() is None:
        return False
    return any(
        container.record.bundle == str(place.path) and container.is_running
        for container in records.read_containers(STANDALONE)
    )
