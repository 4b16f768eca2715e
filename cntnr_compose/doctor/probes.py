"""Try what the host allows: overlay mounts, control groups, free space."""

import os
import tempfile
from pathlib import Path

from cntnr_compose.core.values import Bytes
from cntnr_compose.host import files, mounts
from cntnr_compose.host.namespaces import trial
from cntnr_compose.host.systemd import scope

NO_NAMESPACE = "no user namespace"
OVERLAY_FOLDERS = ("lower", "upper", "work", "merged")


def free_space(folder: Path) -> Bytes:
    """Return the free bytes of the file system that ``folder`` is on, or would be created on."""
    status = os.statvfs(_existing_parent(folder))
    return status.f_bavail * status.f_frsize


def _existing_parent(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def try_overlay(folder: Path) -> str:
    """Mount an overlay in a user namespace of its own; return the reason of a failure, else nothing."""
    folder = _existing_parent(folder)
    try:
        temporary = Path(tempfile.mkdtemp(prefix=".cntnr-doctor-", dir=folder))
    except OSError as error:
        return f"cannot write to {folder}: {error.strerror}"
    try:
        lower, upper, work, target = (temporary / name for name in OVERLAY_FOLDERS)
        for path in (lower, upper, work, target):
            path.mkdir()
        if not trial.try_in_child(lambda: None):
            return trial.try_in_child(lambda: mounts.mount_overlay((lower,), upper, work, target))
        if trial.try_by_rootlesskit(trial.MOUNT_TMPFS):
            return NO_NAMESPACE
        options = f"lowerdir={lower},upperdir={upper},workdir={work},userxattr"
        argv = ("mount", "-i", "-t", "overlay", "-o", options, "overlay", str(target))
        return trial.try_by_rootlesskit(argv)
    finally:
        files.remove_tree(temporary)


def try_cgroup() -> str:
    """Make a group with limits as containers get it; return the reason of a failure, else nothing."""
    return trial.read_from_child(scope.try_group)
