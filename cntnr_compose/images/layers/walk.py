"""List a folder that others may write to, without following a link out of it."""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from typing import IO, NamedTuple

from cntnr_compose.host.openat2 import Root


class FolderEntry(NamedTuple):
    """An entry of a folder: its path below the top, and where it is found while it is the current one."""

    path: str
    folder: int  # descriptor of its folder
    name: str
    status: os.stat_result


class _OpenFolder:
    """The folder that is being read; one is open at a time, as they may be nested deeply."""

    def __init__(self, root: Root) -> None:
        self._root, self._path, self._descriptor = root, "", -1

    def descriptor(self, path: str) -> int:
        """Return the descriptor of a folder; it is valid until the next call."""
        if self._descriptor < 0 or path != self._path:
            opened = self._root.open(path, os.O_RDONLY | os.O_DIRECTORY)
            self.close()
            self._path, self._descriptor = path, opened
        return self._descriptor

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def walk_folder(root: Root) -> Iterator[FolderEntry]:
    """List everything in a folder, folders before their content, sorted by name.

    Not recursive: folders may be nested deeper than Python's recursion limit. Raises `OSError`.
    """
    with contextlib.closing(_OpenFolder(root)) as opened:
        levels = [("", _list_names(opened, ""))]
        while levels:
            folder, names = levels[-1]
            if not names:
                levels.pop()
                continue
            name = names.pop()
            path = f"{folder}/{name}" if folder else name
            try:
                descriptor = opened.descriptor(folder)
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except (FileNotFoundError, NotADirectoryError):
                continue  # removed meanwhile
            yield FolderEntry(path, descriptor, name, status)
            if stat.S_ISDIR(status.st_mode):
                levels.append((path, _list_names(opened, path)))


def _list_names(opened: _OpenFolder, path: str) -> list[str]:
    """List the names in a folder, the last first; none where it was removed meanwhile."""
    try:
        with os.scandir(opened.descriptor(path)) as entries:
            return sorted((entry.name for entry in entries), reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return []


def open_entry(entry: FolderEntry) -> IO[bytes]:
    """Open a file; raise `OSError` where something else has taken its place."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    file = os.fdopen(os.open(entry.name, flags, dir_fd=entry.folder), "rb", buffering=0)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is no regular file", entry.path)
    return file
