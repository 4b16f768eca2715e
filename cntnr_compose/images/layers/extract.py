"""Unpack the entries of a layer into a folder, with whiteouts as overlay's own marks.

A layer is hostile: nothing in it leads out of the folder. What depends on the layers below is noted for
`complete`.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from cntnr_compose.core.values import Bytes
from cntnr_compose.host import files
from cntnr_compose.host.namespaces import owners
from cntnr_compose.images.layers import overlay_marks
from cntnr_compose.images.layers.archive import tar_reader
from cntnr_compose.images.layers.archive.stream import LayerStream
from cntnr_compose.images.layers.archive.tar_reader import Entry
from cntnr_compose.images.layers.folders import (
    OpenFolder,
    OpenFolders,
    clean_name,
    open_folder,
    split_name,
)

WHITEOUT_PREFIX = ".wh."
OPAQUE_WHITEOUT = ".wh..wh..opq"
LARGE_FILE: Bytes = (
    16 << 20
)  # from here on, whether it fits the disk is checked before it is written
NO_ID = (1 << 32) - 1  # for chown(2) it means to leave the owner as it is
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class OwnerNotMapped(Exception):
    """A file belongs to an id that the user's namespace does not have."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(f"{entry.name} belongs to {entry.uid}:{entry.gid}")


class LayerExtraction:
    """One pass through a layer. The umask has to be 0."""

    def __init__(self, folder: Path, check: Callable[[], None] = lambda: None) -> None:
        self.folders = OpenFolders(folder)
        self._check = check
        self.folder_times: dict[str, int] = {}
        self.whiteouts: list[str] = []
        self.links_below: dict[str, str] = {}  # hard links to files of the layers below
        self.has_root = False  # an entry was for the root
        self.size: Bytes = 0
        self.count = 0

    def close(self) -> None:
        """Close what is open."""
        self.folders.close()

    def run(self, stream: LayerStream) -> None:
        """Unpack all entries. Raises `StreamDamaged`, `LeadsOut`, `OwnerNotMapped`, `OSError`."""
        for entry in tar_reader.read_entries(stream):
            self._check()
            self._extract(entry, stream)
            self.count += 1
            self.size += entry.size

    def _extract(self, entry: Entry, stream: LayerStream) -> None:
        path = clean_name(entry.name)
        folder_path, name = split_name(path)
        folder = self.folders.open(folder_path)
        if not name:
            self.has_root = True
            self._set_folder_metadata(entry, folder)
            return
        if name.startswith(WHITEOUT_PREFIX):
            stream.skip(entry.size)
            self._white_out(folder, name)
            return
        if self.links_below:
            self.links_below.pop(folder.join(name), None)
        if entry.type == tar_reader.REGULAR:
            self._write_file(entry, folder, name, stream)
        elif entry.type == tar_reader.FOLDER:
            self._make_folder(entry, folder, name)
        elif entry.type == tar_reader.LINK:
            self._make_link(entry, folder, name)
        else:
            self._make_special(entry, folder, name)

    def _write_file(self, entry: Entry, folder: OpenFolder, name: str, stream: LayerStream) -> None:
        descriptor = self._create_file(folder, name)
        try:
            if entry.size > LARGE_FILE:
                _check_room(descriptor, entry.size)
            if entry.sparse is None:
                for piece in stream.iterate(entry.size):
                    _write_all(descriptor, piece)
            else:
                for offset, length in entry.sparse.parts:
                    os.lseek(descriptor, offset, os.SEEK_SET)
                    for piece in stream.iterate(length):
                        _write_all(descriptor, piece)
                os.ftruncate(descriptor, entry.sparse.size)
            _set_metadata(entry, descriptor)
            os.utime(descriptor, ns=(entry.mtime_ns, entry.mtime_ns))
        finally:
            os.close(descriptor)

    def _create_file(self, folder: OpenFolder, name: str) -> int:
        try:
            return os.open(name, NEW_FILE, 0o600, dir_fd=folder.descriptor)
        except FileExistsError:
            self._remove(folder, name)
            return os.open(name, NEW_FILE, 0o600, dir_fd=folder.descriptor)

    def _make_folder(self, entry: Entry, folder: OpenFolder, name: str) -> None:
        """Make a folder, or take the one that is there; one in place of a whiteout is opaque."""
        is_opaque = False
        status = _status(folder, name)
        if status is None or not stat.S_ISDIR(status.st_mode):
            is_opaque = status is not None and overlay_marks.is_whiteout(status)
            self._make(folder, name, lambda: os.mkdir(name, 0o700, dir_fd=folder.descriptor))
        descriptor = open_folder(name, folder.descriptor)
        try:
            if is_opaque:
                overlay_marks.make_opaque(descriptor)
            self._set_folder_metadata(entry, OpenFolder(descriptor, folder.join(name)))
        finally:
            os.close(descriptor)

    def _set_folder_metadata(self, entry: Entry, folder: OpenFolder) -> None:
        """Set what an entry says of a folder; its time is set last, since filling it changes that."""
        _set_metadata(entry, folder.descriptor)
        self.folders.implied.pop(folder.path, None)
        self.folder_times[folder.path] = entry.mtime_ns

    def _make_link(self, entry: Entry, folder: OpenFolder, name: str) -> None:
        """Make a hard link; one to a file that the layer does not have is left to `complete`."""
        target = clean_name(entry.link)
        target_folder, target_name = split_name(target)
        try:
            source = self.folders.root.open(target_folder, os.O_PATH | os.O_DIRECTORY)
        except (FileNotFoundError, NotADirectoryError):
            self._link_below(folder, name, target)
            return
        try:
            if self._is_same(folder, name, source, target_name):
                return
            self._make(
                folder, name,
                lambda: os.link(
                    target_name, name, src_dir_fd=source, dst_dir_fd=folder.descriptor,
                    follow_symlinks=False,
                ),
            )  # fmt: skip
        except FileNotFoundError:
            self._link_below(folder, name, target)
        finally:
            os.close(source)

    @staticmethod
    def _is_same(folder: OpenFolder, name: str, source: int, target_name: str) -> bool:
        """Check whether a hard link exists already. Raises `FileNotFoundError` where its target does not."""
        target = os.stat(target_name, dir_fd=source, follow_symlinks=False)
        if overlay_marks.is_whiteout(target):
            raise FileNotFoundError(target_name)
        existing = _status(folder, name)
        return existing is not None and os.path.samestat(existing, target)

    def _link_below(self, folder: OpenFolder, name: str, target: str) -> None:
        self._remove(folder, name)
        self.links_below[folder.join(name)] = target

    def _make_special(self, entry: Entry, folder: OpenFolder, name: str) -> None:
        """Make a symbolic link or a pipe; of a device an empty file, since nobody may make one here."""
        if entry.type == tar_reader.SYMLINK:
            self._make(folder, name, lambda: os.symlink(entry.link, name, dir_fd=folder.descriptor))
        elif entry.type == tar_reader.FIFO:
            self._make(folder, name, lambda: os.mkfifo(name, dir_fd=folder.descriptor))
        else:
            os.close(self._create_file(folder, name))
        with _told_owner(entry):
            owners.change_owner_of_name(name, entry.uid, entry.gid, folder=folder.descriptor)
        if entry.type != tar_reader.SYMLINK:
            os.chmod(name, entry.mode, dir_fd=folder.descriptor)
        times = (entry.mtime_ns, entry.mtime_ns)
        os.utime(name, ns=times, dir_fd=folder.descriptor, follow_symlinks=False)

    def _white_out(self, folder: OpenFolder, name: str) -> None:
        """Mark a removal, which concerns the layers below: what this layer has of the name stays."""
        if name == OPAQUE_WHITEOUT:
            overlay_marks.make_opaque(folder.descriptor)
            return
        hidden = name.removeprefix(WHITEOUT_PREFIX)
        if hidden in ("", ".", "..") or hidden.startswith(WHITEOUT_PREFIX):
            return  # of no meaning, or of aufs
        path = folder.join(hidden)
        if path in self.links_below:
            return
        try:
            overlay_marks.make_whiteout(hidden, folder.descriptor)
            self.whiteouts.append(path)
        except FileExistsError:
            status = _status(folder, hidden)
            if status is not None and stat.S_ISDIR(status.st_mode):
                descriptor = open_folder(hidden, folder.descriptor)
                try:
                    overlay_marks.make_opaque(descriptor)
                finally:
                    os.close(descriptor)

    def _make(self, folder: OpenFolder, name: str, make: Callable[[], None]) -> None:
        """Make a file in place of whatever is there."""
        try:
            make()
        except FileExistsError:
            self._remove(folder, name)
            make()

    def _remove(self, folder: OpenFolder, name: str) -> None:
        """Remove what earlier entries have made of a name."""
        status = _status(folder, name)
        if status is None:
            return
        if stat.S_ISDIR(status.st_mode) or stat.S_ISLNK(status.st_mode):
            self.folders.forget()
        if stat.S_ISDIR(status.st_mode):
            files.remove_tree(Path(f"/proc/self/fd/{folder.descriptor}", name))
        else:
            os.unlink(name, dir_fd=folder.descriptor)


def _status(folder: OpenFolder, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder.descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _set_metadata(entry: Entry, descriptor: int) -> None:
    """Set owner, extended attributes and mode, in the order in which none undoes another."""
    with _told_owner(entry):
        owners.change_owner(descriptor, entry.uid, entry.gid)
    for key, value in entry.xattrs.items():
        if overlay_marks.is_kept(key):
            with contextlib.suppress(OSError):  # not every file system has them
                os.setxattr(descriptor, key, value)
    os.fchmod(descriptor, entry.mode)


@contextlib.contextmanager
def _told_owner(entry: Entry) -> Iterator[None]:
    if max(entry.uid, entry.gid) >= NO_ID:
        raise OwnerNotMapped(entry)
    try:
        yield
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise OwnerNotMapped(entry) from error
        raise


def _write_all(descriptor: int, piece: memoryview) -> None:
    while piece:
        piece = piece[os.write(descriptor, piece) :]


def _check_room(descriptor: int, size: Bytes) -> None:
    """Check that a file fits the disk. Raises `OSError`."""
    disk = os.fstatvfs(descriptor)
    if size > disk.f_bavail * disk.f_frsize:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
