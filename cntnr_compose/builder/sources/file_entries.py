"""Read the status of the files of a folder, and find those that a pattern fits."""

import os
import stat

from cntnr_compose.builder.dockerfile.globs import GlobPattern
from cntnr_compose.builder.sources.file_digests import Stamp
from cntnr_compose.core.values import Value
from cntnr_compose.host.namespaces import owners
from cntnr_compose.host.openat2 import Root
from cntnr_compose.images.layers import overlay_marks


class FileEntry(Value, frozen=True, kw_only=True):
    """One file of a selection; ``path`` is relative to the selected source, '' is the source itself."""

    path: str
    host_path: str  # on this machine
    mode: int  # with its type
    uid: int
    gid: int
    stamp: Stamp
    links: int = 1

    @property
    def is_folder(self) -> bool:
        """Return whether it is a folder."""
        return stat.S_ISDIR(self.mode)


def read_entry(path: str, host_path: str, *, reads_notes: bool) -> FileEntry | None:
    """Read the status of a file, its owner from a note, too; None for sockets and files that vanished."""
    try:
        status = os.lstat(host_path)
    except FileNotFoundError:
        return None
    if stat.S_ISSOCK(status.st_mode):
        return None
    uid, gid = status.st_uid, status.st_gid
    if reads_notes:
        uid, gid = owners.read_owner(host_path, uid, gid)
    return FileEntry(
        path=path,
        host_path=host_path,
        mode=status.st_mode,
        uid=uid,
        gid=gid,
        stamp=stamp_of(status),
        links=status.st_nlink,
    )


def stamp_of(status: os.stat_result) -> Stamp:
    """Return what changes with a file."""
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def is_pattern(source: str) -> bool:
    """Return whether a source fits more than its own name."""
    return any(char in source for char in "*?[")


def xattrs_text(path: str) -> str:
    """Write the extended attributes that are copied with a file; '' where it has none, as most."""
    return "".join(f"\0{name}={value.hex()}" for name, value in read_xattrs(path))


def read_xattrs(file: str | int) -> list[tuple[str, bytes]]:
    """Read the extended attributes that belong to the content of a file, by its path or descriptor."""
    follows = isinstance(file, int)
    try:
        return [
            (name, os.getxattr(file, name, follow_symlinks=follows))
            for name in sorted(os.listxattr(file, follow_symlinks=follows))
            if overlay_marks.is_kept(name)
        ]
    except OSError:  # not every file system has them
        return []


def expand_glob(root: Root, source: str) -> list[str]:
    """Find the paths that a glob matches; each part stays within its folder."""
    if not is_pattern(source):
        return [source]
    expanded = [""]
    for part in source.split("/"):
        matching = []
        for folder in expanded:
            folder_path = root.find(folder or ".")
            if folder_path is None or not folder_path.is_dir():
                continue
            # Unlike in a shell, a leading dot is an ordinary character (Go's filepath.Match).
            fits = GlobPattern(part).matches
            names = sorted(one.name for one in folder_path.iterdir() if fits(one.name))
            matching += [f"{folder}/{name}" if folder else name for name in names]
        expanded = matching
    return expanded
