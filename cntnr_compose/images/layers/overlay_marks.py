"""Know overlay's own marks in the folder of a layer: what is removed, and what hides everything below."""

import os
import stat

from cntnr_compose.host.namespaces.owners import OWNER_XATTR

WHITEOUT_DEVICE = os.makedev(0, 0)
OPAQUE_XATTR = "user.overlay.opaque"
OVERLAY_XATTRS = "user.overlay."
KEPT_XATTRS = ("user.", "security.capability")  # of what is in an image, but for those below
LOCAL_XATTRS = (OVERLAY_XATTRS, OWNER_XATTR)  # of a folder on this machine


def is_whiteout(status: os.stat_result) -> bool:
    """Check whether a file says that there is none of its name any more."""
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == WHITEOUT_DEVICE


def make_whiteout(name: str, folder: int) -> None:
    """Say that there is no file of a name any more. Raises `OSError`."""
    os.mknod(name, stat.S_IFCHR, WHITEOUT_DEVICE, dir_fd=folder)


def is_opaque(folder: int) -> bool:
    """Check whether a folder hides what is in those below it; of a descriptor opened in any way."""
    try:
        return bool(os.getxattr(f"/proc/self/fd/{folder}", OPAQUE_XATTR))
    except OSError:
        return False


def make_opaque(folder: int) -> None:
    """Have an open folder hide what is in those below it. Raises `OSError`."""
    os.setxattr(folder, OPAQUE_XATTR, b"y")


def is_kept(xattr: str) -> bool:
    """Check whether an extended attribute belongs to an image."""
    return xattr.startswith(KEPT_XATTRS) and not xattr.startswith(LOCAL_XATTRS)
