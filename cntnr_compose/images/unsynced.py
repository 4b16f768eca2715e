"""Mark what was written to the image store and is not known to be on the disk: a machine may stop.

An empty file marks each layer and blob until the disk has been waited for, which nobody does who counts
milliseconds. A mark of an earlier boot tells that the machine stopped, or was stopped, before: such a layer
is moved away, so that it is unpacked or built again, and blobs are looked at once more.
"""

import contextlib
import os
import sys
import time
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.host import files, kernel, process

CATALOGUE = "catalogue.json"  # of images, which were whole when it was written
SYNC_CODE = "from cntnr_compose.images.unsynced import main; main()"
SYNC_DELAY = 1.0  # seconds
LAYER_PREFIXES = ("c-", "s-")


def _folder() -> Path:
    return paths.layers() / ".unsynced"


def mark(name: str) -> None:
    """Mark a layer, or a blob by its digest, before it gets its name. Raises `OSError`."""
    path = _folder() / f"{name.removeprefix('sha256:')}.{kernel.boot_id()}"
    try:
        path.touch(mode=0o600)
    except FileNotFoundError:
        files.make_folder(paths.make_data_folder(paths.layers()) / path.parent.name)
        path.touch(mode=0o600)


def has_marks() -> bool:
    """Tell whether something is marked."""
    return _folder().is_dir()


def sync() -> None:
    """Wait until the disk has what is marked now, and remove the marks of this boot."""
    marks = files.find_paths(_folder(), f"*.{kernel.boot_id()}")
    if marks and all(map(files.sync_file_system, (paths.layers(), paths.images()))):
        for path in marks:
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # there are new ones, or nothing was marked
        _folder().rmdir()


def start_sync() -> None:
    """Start a process that waits for the disk a moment later, where something is marked."""
    if has_marks():
        with Path(os.devnull).open("r+b") as null, contextlib.suppress(OSError):
            process.popen(
                [sys.executable, "-P", "-c", SYNC_CODE], env=os.environ, stdin=null.fileno(),
                stdout=null.fileno(), stderr=null.fileno(), new_session=True, cwd="/",
            )  # fmt: skip


def main() -> None:
    """Be that process: leave the disk to containers that start first."""
    time.sleep(SYNC_DELAY)
    sync()


def move_away_unsynced() -> None:
    """Move layers away that the machine stopped before they were on its disk, and have images looked at.

    Whoever uses images or layers calls it first. Raises `OSError`.
    """
    if not _has_earlier_marks():
        return
    with files.file_lock(paths.layers() / ".unsynced.lock"):
        # Looked at once more: another process may have done it, and unpacked layers again.
        marks = _list_earlier_marks()
        (paths.images() / CATALOGUE).unlink(missing_ok=True)
        names = dict.fromkeys(path.name.rpartition(".")[0] for path in marks)
        files.move_away(paths.layers(), [one for one in names if one.startswith(LAYER_PREFIXES)])
        for path in marks:
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        _folder().rmdir()


def _has_earlier_marks() -> bool:
    try:
        names = os.listdir(_folder())  # noqa: PTH208 - at each start of a container
    except OSError:
        return False
    return bool(names) and bool(_list_earlier_marks())


def _list_earlier_marks() -> list[Path]:
    """List the marks of boots before this one."""
    this = f".{kernel.boot_id()}"
    return [path for path in files.find_paths(_folder(), "*") if path.suffix != this]
