"""Mount the root file system of a bundle that stays, for a container that was created in it."""

import os
from pathlib import Path

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import locks, mounts
from cntnr_compose.host.namespaces import holder
from cntnr_compose.host.openat2 import Root
from cntnr_compose.model.observed import Record

ROOTFS, LOCK = "rootfs", ".lock"


class BundleGone(CntnrError):
    """The bundle of a container has no root file system any more."""

    hint = "create it again: `cntnr bundle create --update`"

    def __init__(self, container: str, bundle: str, why: str) -> None:
        super().__init__(f"cannot start container {container}: its bundle {bundle}: {why}")


class BundleInUse(CntnrError):
    """A bundle is changed, or runs outside of cntnr."""

    hint = "wait until that has ended"

    def __init__(self, container: str, bundle: str) -> None:
        super().__init__(f"cannot start container {container}: bundle {bundle} is in use")


def mount(record: Record, target: Path) -> None:
    """Mount the files of a container's bundle. Raises `BundleGone`, `BundleInUse`."""
    folder = holder.host_path(Path(record.bundle))
    if locks.is_locked(folder / LOCK):
        raise BundleInUse(record.name, record.bundle)
    try:
        with Root(folder, follow_links=False) as root:
            descriptor = root.open(ROOTFS)
    except OSError as error:
        raise BundleGone(record.name, record.bundle, error.strerror or str(error)) from None
    try:
        target.rmdir()
        mounts.bind_mount_descriptor(descriptor, target)
    finally:
        os.close(descriptor)
