"""An entry of a tree that is copied: path, attributes, and whether an open file goes with it."""

import stat

from cntnr_compose.core.values import Value

# Everything that stands between two names of a tree is one `/`; the top of a tree is the empty path.
SEPARATOR = b"/"
REMOVED = 0  # as a mode: the path is removed


class TreeEntry(Value, frozen=True, kw_only=True, array_like=True):
    """A file, folder, link, pipe or device of a tree; with mode `REMOVED`, a path to remove."""

    path: bytes  # relative to the top of the tree
    mode: int = REMOVED  # type and permissions, as stat(2)
    uid: int = 0
    gid: int = 0
    mtime: int = 0  # nanoseconds
    size: int = 0
    target: bytes = b""  # of a symbolic link
    same_file: bytes = b""  # path of an earlier entry: this is another name of that file
    device: int = 0
    xattrs: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def has_content(self) -> bool:
        """Tell whether an open file goes with it."""
        return stat.S_ISREG(self.mode) and not self.same_file


def join_path(folder: bytes, name: bytes) -> bytes:
    """Join two relative paths, of which either may be empty."""
    return folder + SEPARATOR + name if folder and name else folder or name
