"""Drive mksquashfs and squashfuse: a layer as one file, with the owners as they are in containers.

So it has the right owners for everybody who mounts it in a user namespace of his own.
"""

import contextlib
import os
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CommandFailed, ProgramMissing
from cntnr_compose.core.values import Seconds
from cntnr_compose.host import process

SUFFIX = ".squashfs"
FUSE = Path("/dev/fuse")
MOUNT_TIMEOUT: Seconds = 20


def can_write() -> bool:
    """Check whether mksquashfs is installed."""
    return is_installed("mksquashfs")


def can_mount() -> bool:
    """Check whether this user can mount such a file: it takes squashfuse, and leave to open /dev/fuse."""
    return os.access(FUSE, os.R_OK | os.W_OK) and is_installed("squashfuse")


def write(layer: Path, target: Path) -> None:
    """Write a layer's folder into a file. Raises `CommandFailed`."""
    options = ["-noappend", "-quiet", "-no-progress", "-comp", "zstd", "-Xcompression-level", "3"]
    process.run(["mksquashfs", str(layer), str(target), *options])


def mount(file: Path, name: str) -> Path | None:
    """Mount a file inside the holder, where that has not happened; return the layer's files, or None.

    The process that serves it ends with the holder.
    """
    place = paths.holder_tmpfs() / "squashfs" / name
    if not (place / "fs").is_dir():
        place.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(CommandFailed, ProgramMissing, TimeoutError):
            # Other users of containers read it, too.
            argv = ["squashfuse", "-o", "allow_other", str(file), str(place)]
            process.run(argv, timeout=MOUNT_TIMEOUT)
    return place / "fs" if (place / "fs").is_dir() else None


def is_installed(program: str) -> bool:
    """Check whether a program is installed."""
    try:
        return bool(process.find_program(program))
    except ProgramMissing:
        return False
