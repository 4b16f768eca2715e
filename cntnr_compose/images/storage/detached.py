"""Remove folders that the collector has detached: inside the holder, where the owners of their files exist."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes, Value, from_json, to_json
from cntnr_compose.host import files, process
from cntnr_compose.host.namespaces import holder, rootlesskit

DETACHED_PREFIX = ".gone-"
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
        yield from parent.glob(f"{DETACHED_PREFIX}*")


def remove_detached() -> Bytes:
    """Remove all detached folders; return the size of their files. Raises `LayersStay`."""
    if next(list_detached(), None) is None:
        return 0
    if os.getuid() == 0 and holder.is_inside():
        return remove_here()
    with rootlesskit.temporary_holder("image-gc") as running:
        argv = [sys.executable, "-P", "-c", REMOVAL_CODE]
        argv = holder.nsenter_argv(running, argv, network=False)
        env = {**os.environ, "PATH": process.search_path()}
        done = process.run(argv, env=env, ok=range(-64, 256))
    if done.returncode != 0:
        raise LayersStay(done.stderr)
    return from_json(done.stdout, RemovedFolders).size


def main() -> None:
    """Remove all detached folders, and write their size to standard output."""
    sys.stdout.write(to_json(RemovedFolders(size=remove_here())).decode() + "\n")
    sys.stdout.flush()


def remove_here() -> Bytes:
    """Remove all detached folders from inside the holder; return the size of their files."""
    size = 0
    with files.file_lock(paths.layers() / ".gone.lock"):  # two of us would stumble over each other
        for path in list_detached():
            size += measure(path)
            files.remove_tree(path)
    return size


def measure(folder: Path) -> Bytes:
    """Add up the sizes of the files in a folder, those with several names once."""
    size, seen = 0, set()
    pending = [str(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(status.st_mode):
                        pending.append(entry.path)
                        continue
                    if status.st_nlink > 1:
                        if status.st_ino in seen:
                            continue
                        seen.add(status.st_ino)
                    size += status.st_size
        except OSError:
            continue
    return size
