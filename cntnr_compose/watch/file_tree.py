"""Know the files below watched paths, and find what changed since.

Notifications of the kernel say where to look; what counts is the comparison with the status of each file at
the last look. So nothing counts twice, and a look at everything finds what notifications have missed.
"""

import os
import posixpath
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

Stamp = tuple[int, ...]


class FileTree:
    """The files and folders below some paths, each with its status at the last look."""

    def __init__(
        self,
        paths: Iterable[str],
        may_match_below: Callable[[str], bool],
        on_unreadable: Callable[[str], None],
    ) -> None:
        """Take the paths, a test for folders to look into, and who hears of folders that cannot be read."""
        self._paths = tuple(dict.fromkeys(posixpath.normpath(path) for path in paths))
        self._may_match_below = may_match_below
        self._on_unreadable = on_unreadable
        self._stamps: dict[str, Stamp] = {}
        self._children: dict[str, set[str]] = {}  # names, by folder that is looked into
        self.look_at_all()

    @property
    def files(self) -> Iterable[str]:
        """Return the paths of all files and folders."""
        return self._stamps

    def folders_to_watch(self) -> set[str]:
        """Return the folders whose entries make up the tree.

        For a path that is no folder, or absent, that is the nearest folder that it is in.
        """
        folders = set(self._children)
        for path in self._paths:
            parent = path
            while parent not in folders:
                parent = posixpath.dirname(parent)
                if parent == "/" or Path(parent).is_dir():
                    folders.add(parent)
        return folders

    def look_at_all(self) -> set[str]:
        """Look at every file; return the paths that changed."""
        changes: set[str] = set()
        for path in self._paths:
            self._look_at(path, changes, everything=True)
        return changes

    def look_at(self, paths: Iterable[str]) -> set[str]:
        """Look at some paths, and at everything in folders that are new; return the paths that changed.

        Other paths than those of the tree are passed over; of an absent path the parent may be the news.
        """
        changes: set[str] = set()
        for path in paths:
            if self._belongs(path):
                self._look_at(path, changes, everything=False)
            else:
                for top in self._paths:
                    if top.startswith(path.rstrip("/") + "/"):
                        self._look_at(top, changes, everything=False)
        return changes

    def look_into(self, folders: Iterable[str]) -> set[str]:
        """Look at all entries of folders; return the paths that changed."""
        changes: set[str] = set()
        for folder in folders:
            for path in self._list(folder, changes) if folder in self._children else ():
                self._look_at(path, changes, everything=False)
        return changes

    def _belongs(self, path: str) -> bool:
        if path in self._stamps or path in self._paths:
            return True
        parent = posixpath.dirname(path)
        return parent in self._children

    def _look_at(self, path: str, changes: set[str], *, everything: bool) -> None:
        """Look at a path; not recursive, since folders may be nested deeper than Python's recursion limit."""
        pending = [path]
        while pending:
            path = pending.pop()
            stamp = _read_stamp(path)
            if stamp is None:
                self._forget(path, changes)
                continue
            self._update(path, stamp, changes)
            if not _is_folder(stamp):
                self._forget_children(path, changes)  # where it was a folder
            elif (everything or path not in self._children) and self._may_match_below(path):
                pending += self._list(path, changes)

    def _update(self, path: str, stamp: Stamp, changes: set[str]) -> None:
        if self._stamps.get(path) == stamp:
            return
        self._stamps[path] = stamp
        parent, name = posixpath.split(path)
        if parent in self._children:
            self._children[parent].add(name)
        changes.add(path)

    def _list(self, folder: str, changes: set[str]) -> list[str]:
        """List a folder; forget what is gone from it; return the paths in it."""
        try:
            with os.scandir(folder) as entries:
                names = {entry.name for entry in entries}
        except PermissionError:
            self._on_unreadable(folder)
            return []
        except OSError:  # gone meanwhile, which its own look will tell
            return []
        prefix = folder.rstrip("/") + "/"
        for name in self._children.setdefault(folder, set()) - names:
            self._forget(prefix + name, changes)
        return [prefix + name for name in names]

    def _forget(self, path: str, changes: set[str]) -> None:
        """Forget a path that is gone, with everything below it."""
        if self._stamps.pop(path, None) is not None:
            changes.add(path)
        siblings = self._children.get(posixpath.dirname(path))
        if siblings is not None:
            siblings.discard(posixpath.basename(path))
        self._forget_children(path, changes)

    def _forget_children(self, folder: str, changes: set[str]) -> None:
        pending = [folder]
        while pending:
            folder = pending.pop()
            for name in self._children.pop(folder, ()):
                path = f"{folder.rstrip('/')}/{name}"
                if self._stamps.pop(path, None) is not None:
                    changes.add(path)
                pending.append(path)


def _read_stamp(path: str) -> Stamp | None:
    """Return what tells whether a file changed; None where there is no file, folder or link.

    The times of folders change with each of their entries, which count for themselves.
    """
    try:
        status = os.lstat(path)
    except OSError:
        return None
    identity = (status.st_mode, status.st_dev, status.st_ino, status.st_uid, status.st_gid)
    if stat.S_ISDIR(status.st_mode):
        return identity
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
        return None  # a pipe, socket or device: no other machine could use it
    return (*identity, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _is_folder(stamp: Stamp) -> bool:
    return stat.S_ISDIR(stamp[0])
