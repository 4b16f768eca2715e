"""Write a tree entry by entry below a folder, while others may change it: every step is by descriptor."""

import contextlib
import errno
import os
import stat
from typing import IO, TypeAlias

from cntnr_compose.containers.files.content import copy_open_file, copy_stream
from cntnr_compose.containers.files.entry import REMOVED, TreeEntry, join_path
from cntnr_compose.containers.files.errors import CannotCopy, KindsDiffer, NotAFileName
from cntnr_compose.host.namespaces import owners
from cntnr_compose.host.openat2 import Root

CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
OVERWRITE_FLAGS = os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
FOLDER_MODE = 0o755  # of folders that are missing on the way
Content: TypeAlias = int | IO[bytes] | None


class TreeWriter:
    """Write entries below ``folder``, a path inside ``root``.

    A file replaces a file, a folder is merged with a folder; anything else in the way is an error, as in
    docker. What a link that was written leads to is never written to, unless ``root`` follows links.
    """

    def __init__(self, root: Root, folder: bytes = b"", *, sets_owner: bool = True) -> None:
        """Take where to write; without ``sets_owner`` all files become those of this process's user."""
        self._root = root
        self._folder = folder
        self._sets_owner = sets_owner
        # Somebody else's setuid program would run as the user who copies it.
        self._mode_bits = 0o7777 if sets_owner else 0o1777
        self._parent: tuple[bytes, int] | None = None  # the folder of the last entry
        self._folders: dict[bytes, TreeEntry] = {}
        self.unmapped = 0  # how many files are root's, since their owner does not exist here

    def write(self, entry: TreeEntry, content: Content) -> None:
        """Write an entry: ``content`` is its open file, or a stream of exactly its bytes.

        Raises `CannotCopy`.
        """
        try:
            if entry.mode == REMOVED:
                self._remove(entry.path)
            elif entry.path.strip(b"/"):
                self._write(entry, content)
        except OSError as error:
            raise CannotCopy(self._explain(error, entry.path)) from error

    def finish(self) -> None:
        """Set times and modes of the folders, which writing into them changes, or which would prevent it."""
        folders, self._folders = self._folders, {}
        for path, entry in reversed(folders.items()):
            with contextlib.suppress(OSError):  # it is gone, or a link by now
                descriptor = self._root.open(os.fsdecode(self._inside(path)), os.O_DIRECTORY)
                try:
                    os.utime(descriptor, ns=(entry.mtime, entry.mtime))
                    if entry.mode & 0o700 != 0o700:
                        os.fchmod(descriptor, self._permissions(entry))
                finally:
                    os.close(descriptor)

    def close(self) -> None:
        """Close what is open."""
        if self._parent is not None:
            os.close(self._parent[1])
            self._parent = None

    def _inside(self, path: bytes) -> bytes:
        return join_path(self._folder, path)

    def _explain(self, error: OSError, path: bytes) -> str:
        return f"{self._show(path)}: {(error.strerror or str(error)).lower()}"

    def _kinds_differ(self, entry: TreeEntry, *, is_folder: bool) -> KindsDiffer:
        return KindsDiffer(self._show(entry.path), self._show(b""), is_folder=is_folder)

    def _show(self, path: bytes) -> str:
        """Return what the user calls a path below the top: one of the host, or of the container."""
        above = "" if self._sets_owner else str(self._root.path).rstrip("/")
        return f"{above}/{os.fsdecode(self._inside(path)).strip('/')}".rstrip("/") or "/"

    def _open_parent(self, folder: bytes, *, create: bool = True) -> int:
        """Open a folder below the top, and keep it open for the next entries; make it where it is missing."""
        if self._parent is not None:
            if self._parent[0] == folder:
                return self._parent[1]
            self.close()
        descriptor = self._open_folder(folder, create=create)
        self._parent = folder, descriptor
        return descriptor

    def _open_folder(self, folder: bytes, *, create: bool) -> int:
        return open_folder(self._root, self._inside(folder), create=create)

    def _write(self, entry: TreeEntry, content: Content) -> None:
        folder, _, name = entry.path.strip(b"/").rpartition(b"/")
        if name in (b".", b".."):
            raise NotAFileName(entry.path)
        parent = self._open_parent(folder)
        if stat.S_ISDIR(entry.mode):
            self._write_folder(entry, parent, name)
        elif entry.same_file:
            self._link(entry, parent, name)
        elif stat.S_ISREG(entry.mode):
            self._write_file(entry, parent, name, content)
        elif stat.S_ISLNK(entry.mode):
            self._make_way(entry, parent, name)
            os.symlink(entry.target, name, dir_fd=parent)
            self._set_attributes_by_name(entry, parent, name)
        elif stat.S_ISFIFO(entry.mode):
            self._make_way(entry, parent, name)
            os.mkfifo(name, 0o600, dir_fd=parent)
            self._set_attributes_by_name(entry, parent, name)
        # Devices are left out, as docker does in user namespaces: only root of the host may make any.

    def _write_folder(self, entry: TreeEntry, parent: int, name: bytes) -> None:
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
        except FileExistsError:
            if not stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                raise self._kinds_differ(entry, is_folder=False) from None
        descriptor = os.open(name, FOLDER_FLAGS, dir_fd=parent)
        try:
            self._set_attributes(entry, descriptor)
            os.fchmod(descriptor, self._permissions(entry) | 0o700)
        except PermissionError:
            if self._sets_owner:
                raise
            return  # a folder of another user, which was there before, stays as it is
        finally:
            os.close(descriptor)
        self._folders[entry.path.strip(b"/")] = entry

    def _write_file(self, entry: TreeEntry, parent: int, name: bytes, content: Content) -> None:
        try:
            descriptor = os.open(name, CREATE_FLAGS, 0o600, dir_fd=parent)
        except FileExistsError:
            descriptor = self._replace_file(entry, parent, name)
        try:
            if isinstance(content, int):
                copy_open_file(content, descriptor, entry.size)
            elif content is not None:
                copy_stream(content, descriptor)
            self._set_attributes(entry, descriptor)
            os.utime(descriptor, ns=(entry.mtime, entry.mtime))
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=parent)  # better none than a part
            raise
        finally:
            os.close(descriptor)

    def _replace_file(self, entry: TreeEntry, parent: int, name: bytes) -> int:
        try:
            self._make_way(entry, parent, name)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            # A file that is mounted there cannot be replaced, but written.
            descriptor = os.open(name, OVERWRITE_FLAGS, dir_fd=parent)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise
            return descriptor
        return os.open(name, CREATE_FLAGS, 0o600, dir_fd=parent)

    def _make_way(self, entry: TreeEntry, parent: int, name: bytes) -> None:
        """Remove what an entry that is no folder replaces; only a folder stays, and is an error."""
        try:
            status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return
        if stat.S_ISDIR(status.st_mode):
            raise self._kinds_differ(entry, is_folder=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=parent)

    def _link(self, entry: TreeEntry, parent: int, name: bytes) -> None:
        """Make another name of a file that was written before."""
        folder, _, first = entry.same_file.strip(b"/").rpartition(b"/")
        self._make_way(entry, parent, name)
        source = self._open_folder(folder, create=False)
        try:
            os.link(first, name, src_dir_fd=source, dst_dir_fd=parent, follow_symlinks=False)
        except OSError as error:
            # On another mount, or on a file system without links, it becomes a file of its own.
            if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
                raise
            self._copy_again(entry, parent, name, os.open(first, READ_FLAGS, dir_fd=source))
        finally:
            os.close(source)

    def _copy_again(self, entry: TreeEntry, parent: int, name: bytes, first: int) -> None:
        """Copy a file that was written before."""
        try:
            status = os.fstat(first)
            copy = TreeEntry(
                path=entry.path,
                mode=status.st_mode,
                uid=status.st_uid,
                gid=status.st_gid,
                mtime=status.st_mtime_ns,
                size=status.st_size,
            )
            self._write_file(copy, parent, name, first)
        finally:
            os.close(first)

    def _permissions(self, entry: TreeEntry) -> int:
        return stat.S_IMODE(entry.mode) & self._mode_bits

    def _set_attributes(self, entry: TreeEntry, descriptor: int) -> None:
        """Set owner, permissions and extended attributes of what is open."""
        if self._sets_owner:
            self._change_owner(descriptor, entry)
        os.fchmod(descriptor, self._permissions(entry))
        for key, value in entry.xattrs:
            with contextlib.suppress(OSError):  # not every file system has them
                os.setxattr(descriptor, key, value)

    def _set_attributes_by_name(self, entry: TreeEntry, parent: int, name: bytes) -> None:
        """Set owner, permissions and time of a link or pipe, which is not opened."""
        handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            if self._sets_owner:
                self._change_owner(f"/proc/self/fd/{handle}", entry)
            if not stat.S_ISLNK(entry.mode):
                os.chmod(f"/proc/self/fd/{handle}", self._permissions(entry))  # noqa: PTH101
        finally:
            os.close(handle)
        os.utime(name, ns=(entry.mtime, entry.mtime), dir_fd=parent, follow_symlinks=False)

    def _change_owner(self, target: int | str, entry: TreeEntry) -> None:
        try:
            owners.change_owner(target, entry.uid, entry.gid)
        except OSError as error:
            if error.errno != errno.EINVAL:  # the id does not exist in this user namespace
                raise
            self.unmapped += 1
            os.chown(target, 0, 0)

    def _remove(self, path: bytes) -> None:
        """Remove a file or tree; absent is fine. No link is followed in its last part."""
        folder, _, name = path.strip(b"/").rpartition(b"/")
        if name in (b"", b".", b".."):
            raise NotAFileName(path)
        try:
            parent = self._open_parent(folder, create=False)
            os.unlink(name, dir_fd=parent)
        except (FileNotFoundError, NotADirectoryError):
            return
        except IsADirectoryError:
            import shutil  # imported here: copies do without

            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(name, dir_fd=self._open_parent(folder, create=False))


def open_folder(root: Root, path: bytes, *, create: bool) -> int:
    """Open a folder inside a root; where ``create``, make it and those above it. Raises `OSError`."""
    text = os.fsdecode(path)
    try:
        return root.open(text, os.O_PATH | os.O_DIRECTORY)
    except FileNotFoundError:
        if not create or not path:
            raise
    above, _, name = path.rpartition(b"/")
    parent = open_folder(root, above, create=True)
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, FOLDER_MODE, dir_fd=parent)
            os.chmod(name, FOLDER_MODE, dir_fd=parent)  # whatever the umask
    finally:
        os.close(parent)
    return root.open(text, os.O_PATH | os.O_DIRECTORY)
