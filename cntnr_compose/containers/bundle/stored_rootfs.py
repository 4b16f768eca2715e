"""Mount and open the root file system of a bundle that stays, for a container that was created in it."""

import os
from pathlib import Path

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.files import locks
from cntnr_compose.core.values import Value
from cntnr_compose.host import files, mounts
from cntnr_compose.host.namespaces import holder
from cntnr_compose.host.openat2 import Root
from cntnr_compose.model.observed import Record

ROOTFS, LOCK, FACTS = "rootfs", ".lock", "cntnr.json"


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


class _Facts(Value, frozen=True, kw_only=True):
    """What we read of a bundle's cntnr.json."""

    image_id: str = ""


def mount(record: Record, target: Path) -> None:
    """Mount the files of a container's bundle. Raises `BundleGone`, `BundleInUse`."""
    if locks.is_locked(_folder(record) / LOCK):
        raise BundleInUse(record.name, record.bundle)
    try:
        descriptor = open_rootfs(record)
    except OSError as error:
        raise BundleGone(record.name, record.bundle, error.strerror or str(error)) from None
    try:
        target.rmdir()
        mounts.bind_mount_descriptor(descriptor, target)
    finally:
        os.close(descriptor)


def _folder(record: Record) -> Path:
    return holder.host_path(Path(record.bundle))


def open_rootfs(record: Record) -> int:
    """Open the folder with the files of a container's bundle; return the descriptor. Raises `OSError`."""
    with Root(_folder(record), follow_links=False) as root:
        return root.open(ROOTFS)


def read_image_id(record: Record) -> str:
    """Return the id of the image whose files a container's bundle has; '' where they are others."""
    facts = files.read_value(_folder(record) / FACTS, _Facts)
    return facts.image_id if facts else ""
