"""Set the times of files back to SOURCE_DATE_EPOCH, so that the same steps make the same layers."""

import os
from pathlib import Path

from cntnr_compose.host.openat2 import Root
from cntnr_compose.images.layers.walk import walk_folder


def clamp_times(folder: Path, epoch: int) -> None:
    """Set the time of all files of a step that changed later than ``epoch``; earlier ones stay."""
    limit = epoch * 10**9
    with Root(folder) as root:
        for entry in walk_folder(root):
            if entry.status.st_mtime_ns > limit:
                os.utime(entry.name, ns=(limit, limit), dir_fd=entry.folder, follow_symlinks=False)
    if folder.stat().st_mtime_ns > limit:
        os.utime(folder, ns=(limit, limit))
