"""Remove folders that the collector has detached, inside the holder, where their owners exist."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes, Value, from_json, to_json
from cntnr_compose.host import files, process
from cntnr_compose.host.namespaces import rootlesskit

LOCK = ".gone.lock"
REMOVAL_CODE = "from cntnr_compose.images.storage.detached import main; main()"


class LayersStay(CntnrError):
    """The process that removes unpacked layers failed."""

    hint = "the next clean-up tries again; `cntnr doctor` tells what is wrong with this machine"

    def __init__(self, stderr: str) -> None:
        last = stderr.strip().rpartition("\n")[2] or "the process was killed"
        super().__init__(f"cannot remove unpacked layers: {last}")


class RemovedFolders(Value, frozen=True, kw_only=True):
    """What the process answers."""

    size: Bytes = 0


def list_detached() -> Iterator[Path]:
    """List the folders that the collector has detached."""
    for parent in (paths.layers(), paths.builds() / "mounts"):
        yield from files.find_paths(parent, f"{files.DETACHED_PREFIX}*")


def remove_detached() -> Bytes:
    """Remove all detached folders from outside; return the size of their files. Raises `LayersStay`."""
    if next(list_detached(), None) is None:
        return 0
    size = remove_own()
    if next(list_detached(), None) is None:
        return size
    with rootlesskit.temporary_holder("image-gc") as running:
        argv = [sys.executable, "-P", "-c", REMOVAL_CODE]
        argv = running.nsenter_argv(argv)
        env = {**os.environ, "PATH": process.search_path()}
        done = process.run(argv, env=env, ok=range(-64, 256))
    if done.returncode != 0:
        raise LayersStay(done.stderr)
    return size + from_json(done.stdout, RemovedFolders).size


def remove_own() -> Bytes:
    """Remove the detached folders in which all is the user's own; return the size of their files.

    Those of images of which all belongs to root: no holder has to be started for them.
    """
    size = 0
    with files.file_lock(paths.layers() / LOCK):
        for path in list_detached():
            measured, is_own = measure(path)
            if is_own:
                files.remove_tree(path)
                size += measured
    return size


def main() -> None:
    """Remove all detached folders, and write their size to standard output."""
    sys.stdout.write(to_json(RemovedFolders(size=remove_here())).decode() + "\n")
    sys.stdout.flush()


def remove_here() -> Bytes:
    """Remove all detached folders from inside the holder; return the size of their files."""
    size = 0
    with files.file_lock(paths.layers() / LOCK):  # two of us would stumble over each other
        for path in list_detached():
            size += measure(path)[0]
            files.remove_tree(path)
    return size


def measure(folder: Path) -> tuple[Bytes, bool]:
    """Add up the sizes of the files in a folder, those with several names once.

    Return also whether all folders are the user's own, so that all was seen and can be removed.
    """
    size, is_own, seen = 0, True, set()
    pending = [str(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(status.st_mode):
                        is_own &= status.st_uid == os.getuid()
                        pending.append(entry.path)
                    elif status.st_nlink == 1 or status.st_ino not in seen:
                        seen.update([status.st_ino] if status.st_nlink > 1 else [])
                        size += status.st_size
        except OSError:
            is_own = False
    return size, is_own
