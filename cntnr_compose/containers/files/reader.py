"""Read a tree entry by entry through descriptors, while others may change it."""

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Collection, Iterator
from typing import TypeAlias

from cntnr_compose.containers.files.entry import TreeEntry, join_path
from cntnr_compose.core.values import Bytes
from cntnr_compose.host.namespaces import owners
from cntnr_compose.images.layers import overlay_marks

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
MAX_DEPTH = 256  # each level takes a descriptor
MAX_XATTRS_SIZE: Bytes = 64 << 10  # of an entry; more are left out


MapOwner: TypeAlias = Callable[[int, int], tuple[int, int]]


def _keep_owner(uid: int, gid: int) -> tuple[int, int]:
    return uid, gid


class TreeReader:
    """Walk a tree: folders before what is in them, by name; sockets are left out.

    Folders on a device of ``skipped_devices`` are passed empty; ``map_owner`` says whose entries become.
    """

    def __init__(
        self, skipped_devices: Collection[int] = (), map_owner: MapOwner | None = None
    ) -> None:
        self._skipped_devices = skipped_devices
        self._map_owner = map_owner or _keep_owner
        self._names_of_files: dict[tuple[int, int], bytes] = {}  # those with several names

    def read(
        self, folder: int, name: bytes, top: bytes = b""
    ) -> Iterator[tuple[TreeEntry, int | None]]:
        """Yield the entry ``name`` of an open folder and all below, each with its open file, if it is one.

        Whoever iterates closes the files. ``top`` is the path of the first. Raises `OSError`.
        """
        first = self._open_entry(folder, name, top)
        if first is None:
            raise OSError(errno.ENOTSUP, "it is a socket, or gone", name)
        yield first
        if not stat.S_ISDIR(first[0].mode):
            return
        with contextlib.ExitStack() as undo:
            levels = [self._open_level(undo, folder, name, top)]
            while levels:
                level = levels[-1]
                if not level.names:
                    levels.pop().close()
                    continue
                entry_name = level.names.pop()
                path = join_path(level.path, entry_name)
                opened = self._open_entry(level.descriptor, entry_name, path)
                if opened is None:
                    continue
                yield opened
                if stat.S_ISDIR(opened[0].mode):
                    if len(levels) >= MAX_DEPTH:
                        reason = f"its folders are more than {MAX_DEPTH} deep"
                        raise OSError(errno.ELOOP, reason, path)
                    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                        levels.append(self._open_level(undo, level.descriptor, entry_name, path))

    def _open_level(
        self, undo: contextlib.ExitStack, folder: int, name: bytes, path: bytes
    ) -> "_Level":
        try:
            descriptor = os.open(name, FOLDER_FLAGS, dir_fd=folder)
        except OSError as error:
            raise OSError(error.errno, error.strerror, path or name) from error
        level = _Level(descriptor, path)
        undo.callback(level.close)
        if os.fstat(descriptor).st_dev not in self._skipped_devices:
            level.names = sorted(map(os.fsencode, os.listdir(descriptor)), reverse=True)  # noqa: PTH208
        return level

    def _open_entry(
        self, folder: int, name: bytes, path: bytes
    ) -> tuple[TreeEntry, int | None] | None:
        """Return an entry and its open file; None for a socket, and where it is gone."""
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISSOCK(status.st_mode):
                return None
            if not stat.S_ISREG(status.st_mode):
                return self._describe(status, path, folder, name), None
            descriptor = os.open(name, READ_FLAGS, dir_fd=folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OSError(error.errno, error.strerror, path or name) from error
        status = os.fstat(descriptor)
        same_file = self._find_same_file(status, path)
        if same_file or not stat.S_ISREG(status.st_mode):  # replaced by something else just now
            os.close(descriptor)
            if not same_file:
                return None
            return TreeEntry(path=path, mode=status.st_mode, same_file=same_file), None
        return self._describe(status, path, descriptor), descriptor

    def _find_same_file(self, status: os.stat_result, path: bytes) -> bytes:
        """Return the path of an earlier entry that is the same file; empty for a new one."""
        if status.st_nlink == 1:
            return b""
        first = self._names_of_files.setdefault((status.st_dev, status.st_ino), path)
        return b"" if first == path else first

    def _describe(
        self, status: os.stat_result, path: bytes, descriptor: int, name: bytes = b""
    ) -> TreeEntry:
        """Describe an open file, or the entry ``name`` of an open folder."""
        uid, gid = self._map_owner(status.st_uid, status.st_gid)
        path_of_entry = f"/proc/self/fd/{descriptor}/{os.fsdecode(name)}"
        uid, gid = owners.read_owner(path_of_entry if name else descriptor, uid, gid)
        return TreeEntry(
            path=path,
            mode=status.st_mode,
            uid=uid,
            gid=gid,
            mtime=status.st_mtime_ns,
            size=status.st_size,
            target=os.readlink(name, dir_fd=descriptor) if stat.S_ISLNK(status.st_mode) else b"",
            device=status.st_rdev,
            xattrs=() if name else _read_xattrs(descriptor),
        )


class _Level:
    """An open folder of the walk, and the names in it that are still to come, last one first."""

    def __init__(self, descriptor: int, path: bytes) -> None:
        self.descriptor = descriptor
        self.path = path
        self.names: list[bytes] = []
        self._is_open = True

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            os.close(self.descriptor)


def _read_xattrs(descriptor: int) -> tuple[tuple[bytes, bytes], ...]:
    """Read the extended attributes that belong to a file's content."""
    try:
        names = os.listxattr(descriptor)
    except OSError:  # not every file system has them
        return ()
    xattrs = []
    room = MAX_XATTRS_SIZE
    for name in names:
        if overlay_marks.is_kept(name):
            with contextlib.suppress(OSError):
                value = os.getxattr(descriptor, name)
                room -= len(name) + len(value)
                if room >= 0:
                    xattrs.append((os.fsencode(name), value))
    return tuple(xattrs)
