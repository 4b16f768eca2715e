"""Compare a whole root file system with the layers that it was copied from.

That of a bundle has no upper folder in which changes would be.
"""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from typing import TypeAlias

from cntnr_compose.host.openat2 import Root
from cntnr_compose.images.layers import overlay_marks
from cntnr_compose.images.layers.complete import LowerLayers, find_in_folders
from cntnr_compose.images.layers.folders import split_name
from cntnr_compose.images.layers.walk import FolderEntry, open_entry, walk_folder

CHUNK = 1 << 20
WHITEOUT = os.stat_result(
    (stat.S_IFCHR, 0, 0, 1, 0, 0, 0, 0, 0, 0), {"st_rdev": overlay_marks.WHITEOUT_DEVICE}
)
LowerFile: TypeAlias = tuple[int, str, os.stat_result]  # its open folder, name and status


class _LowerFolder:
    """The folder of the layers in which files are looked up; that of the last one stays open."""

    def __init__(self, layers: LowerLayers) -> None:
        self._layers, self._path = layers, "/"
        self._undo = contextlib.ExitStack()
        self._folders: list[int] = []

    def find(self, path: str) -> LowerFile | None:
        folder, name = split_name(path)
        if folder != self._path:
            self.close()
            self._folders = self._undo.enter_context(self._layers.open_folders(folder))
            self._path = folder
        return find_in_folders(self._folders, name)

    def close(self) -> None:
        self._path = "/"
        self._undo.close()


def walk_difference(
    root: Root, lower: LowerLayers, check: Callable[[], None] = lambda: None
) -> Iterator[FolderEntry]:
    """List what an upper folder over the layers would have: what differs, folders above it, and whiteouts.

    ``check`` is called for each file and may raise to end it. Raises `OSError`.
    """
    above: list[tuple[str, os.stat_result]] = []  # folders that are the same, and not listed yet
    with contextlib.closing(_LowerFolder(lower)) as looked_up:
        yield from _list_whiteouts(root, lower, "")
        for entry in walk_folder(root):
            check()
            while above and not entry.path.startswith(f"{above[-1][0]}/"):
                above.pop()
            below = looked_up.find(entry.path)
            is_same = below is not None and _is_same(entry, below)
            is_folder = stat.S_ISDIR(entry.status.st_mode)
            if not is_same:
                yield from _list_above(root, above)
                yield entry
            elif is_folder:
                above.append((entry.path, entry.status))
            if is_folder and below is not None and stat.S_ISDIR(below[2].st_mode):
                for gone in _list_whiteouts(root, lower, entry.path):
                    yield from _list_above(root, above)
                    yield gone


def _list_above(root: Root, above: list[tuple[str, os.stat_result]]) -> Iterator[FolderEntry]:
    """Yield the folders above a difference, once."""
    while above:
        path, status = above.pop(0)
        folder, name = split_name(path)
        descriptor = root.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield FolderEntry(path, descriptor, name, status)
        finally:
            os.close(descriptor)


def _list_whiteouts(root: Root, lower: LowerLayers, path: str) -> Iterator[FolderEntry]:
    for name in list_hidden_names(root, lower, path):
        yield FolderEntry(f"{path}/{name}" if path else name, -1, name, WHITEOUT)


def list_hidden_names(root: Root, lower: LowerLayers, path: str) -> list[str]:
    """List what a folder of the layers has, and the same folder of a root file system has not."""
    descriptor = root.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        own = _list_names(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
    with lower.open_folders(path) as folders:
        # They were opened without the right to list them.
        names: set[str] = set().union(
            *(_list_names(f"/proc/self/fd/{folder}") for folder in folders)
        )
        return [name for name in sorted(names - own) if find_in_folders(folders, name) is not None]


def _list_names(folder: str) -> set[str]:
    with os.scandir(folder) as entries:
        return {entry.name for entry in entries}


def _is_same(entry: FolderEntry, below: LowerFile) -> bool:
    """Compare a file with that of the layers: its attributes, and its content where they are equal."""
    folder, name, status = below
    if _attributes(entry.status) != _attributes(status):
        return False
    if stat.S_ISLNK(status.st_mode):
        return os.readlink(entry.name, dir_fd=entry.folder) == os.readlink(name, dir_fd=folder)
    if _read_xattrs(entry.folder, entry.name) != _read_xattrs(folder, name):
        return False
    return not stat.S_ISREG(status.st_mode) or _have_same_content(
        entry, FolderEntry(entry.path, folder, name, status)
    )


def _attributes(status: os.stat_result) -> tuple[int, ...]:
    attributes = (status.st_mode, status.st_uid, status.st_gid)
    if stat.S_ISREG(status.st_mode):
        return (*attributes, status.st_size, status.st_mtime_ns)
    return (*attributes, status.st_rdev)


def _read_xattrs(folder: int, name: str) -> dict[str, bytes]:
    path = f"/proc/self/fd/{folder}/{name}"
    with contextlib.suppress(OSError):  # not every file system has them
        return {
            key: os.getxattr(path, key, follow_symlinks=False)
            for key in os.listxattr(path, follow_symlinks=False)
            if not key.startswith(overlay_marks.OVERLAY_XATTRS)
        }
    return {}


def _have_same_content(entry: FolderEntry, other: FolderEntry) -> bool:
    with open_entry(entry) as first, open_entry(other) as second:
        while (block := first.read(CHUNK)) == second.read(CHUNK):
            if not block:
                return True
    return False
