"""Pack a folder into a layer blob: a tar archive with whiteouts instead of overlay's marks."""

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from cntnr_compose.core.values import Bytes
from cntnr_compose.host.namespaces import owners
from cntnr_compose.host.openat2 import Root
from cntnr_compose.images import unsynced
from cntnr_compose.images.layers import overlay_marks
from cntnr_compose.images.layers.walk import FolderEntry, open_entry, walk_folder
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.oci import Descriptor

LAYER_MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar"
CHUNK = 1 << 20


def pack_folder(
    folder: Path,
    store: ImageStore,
    *,
    skip: Callable[[str, os.stat_result], bool] = lambda _path, _status: False,
    check: Callable[[], None] = lambda: None,
    walk: Callable[[Root], Iterator[FolderEntry]] = walk_folder,
) -> Descriptor:
    """Write a folder, such as the upper one of an overlay, to the store as a layer that is not compressed.

    Others may write to the folder meanwhile: no link in it is followed out of it. ``walk`` lists the entries,
    ``skip`` tells which to leave out, ``check`` is called often and may raise to end it. Raises `OSError`.
    """
    with store.draft() as draft, Root(folder) as root:
        path = draft / "layer"
        with path.open("wb") as out:
            writer = _HashingWriter(out, shutil.disk_usage(draft).free)
            _LayerArchive(walk(root), writer, skip, check).write()
        layer = Descriptor(
            media_type=LAYER_MEDIA_TYPE, digest=f"sha256:{writer.digest}", size=writer.size
        )
        blob = store.blob_path(layer.digest)
        blob.parent.mkdir(parents=True, exist_ok=True)
        unsynced.mark(layer.digest)
        path.rename(blob)
    return layer


def write_archive(
    root: Root, out: BinaryIO, *, mtime: int | None = None, check: Callable[[], None] = lambda: None
) -> None:
    """Write a folder as a tar archive with all owners, such as the mounted files of an image.

    ``mtime`` is the time that all files get. Raises `OSError`.
    """
    archive = _LayerArchive(
        walk_folder(root), _PlainWriter(out), lambda _path, _status: False, check
    )
    archive.mtime = mtime
    archive.write()


class _Writer(Protocol):
    """What an archive is written to."""

    def reserve(self, size: Bytes) -> None: ...

    def write(self, block: bytes) -> object: ...


class _PlainWriter:
    """A file, or a pipe, which takes as much as it takes."""

    def __init__(self, out: BinaryIO) -> None:
        self.write = out.write

    def reserve(self, size: Bytes) -> None:
        """Accept any size."""


class _HashingWriter:
    """A file that computes the digest and size of what is written, which may not exceed ``room``."""

    def __init__(self, out: BinaryIO, room: Bytes) -> None:
        self._out, self._hash, self._room, self.size = out, hashlib.sha256(), room, 0

    def reserve(self, size: Bytes) -> None:
        """Check that an entry fits: a file with holes may pretend to be of any size. Raises `OSError`."""
        if self.size + size > self._room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write(self, block: bytes) -> None:
        self._hash.update(block)
        self._out.write(block)
        self.size += len(block)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


class _LayerArchive:
    """One pass through a folder: write everything in it as a tar archive, overlay's marks as whiteouts."""

    def __init__(
        self,
        entries: Iterator[FolderEntry],
        out: _Writer,
        skip: Callable[[str, os.stat_result], bool],
        check: Callable[[], None],
    ) -> None:
        self._out, self._skip, self._check = out, skip, check
        self._entries = entries
        self.mtime: int | None = None  # of all entries, where it is set
        self._links: dict[int, str] = {}  # the names of files with several, by inode

    def write(self) -> None:
        for entry in self._entries:
            self._check()
            if not self._skip(entry.path, entry.status):
                self._write_entry(entry)
        self._out.write(tarfile.NUL * (2 * tarfile.BLOCKSIZE))

    def _write_entry(self, entry: FolderEntry) -> None:
        """Write a file as an entry, overlay's marks as whiteouts; sockets are left out."""
        status = entry.status
        if stat.S_ISSOCK(status.st_mode):
            return
        if overlay_marks.is_whiteout(status):
            folder, _, name = entry.path.rpartition("/")
            _write_member(_marker(folder, f".wh.{name}"), self._out)
            return
        info = _tar_info(entry, self._links)
        info.mtime = info.mtime if self.mtime is None else self.mtime
        opaque = _read_xattrs(entry, info) if info.type != tarfile.LNKTYPE else False
        _write_member(info, self._out, entry if info.size else None)
        if opaque:
            _write_member(_marker(entry.path, ".wh..wh..opq"), self._out)


def _tar_info(entry: FolderEntry, links: dict[int, str]) -> tarfile.TarInfo:
    """Describe a file; ``links`` are the names of those with several, by inode."""
    status = entry.status
    kind = stat.S_IFMT(status.st_mode)
    info = tarfile.TarInfo(entry.path)
    info.mode, info.uid, info.gid = stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid
    info.mtime = int(status.st_mtime)
    if kind == stat.S_IFDIR:
        info.type = tarfile.DIRTYPE
    elif kind == stat.S_IFLNK:
        info.type, info.linkname = tarfile.SYMTYPE, os.readlink(entry.name, dir_fd=entry.folder)
    elif kind == stat.S_IFIFO:
        info.type = tarfile.FIFOTYPE
    elif kind in (stat.S_IFCHR, stat.S_IFBLK):
        info.type = tarfile.CHRTYPE if kind == stat.S_IFCHR else tarfile.BLKTYPE
        info.devmajor, info.devminor = os.major(status.st_rdev), os.minor(status.st_rdev)
    elif status.st_nlink > 1 and status.st_ino in links:
        info.type, info.linkname = tarfile.LNKTYPE, links[status.st_ino]
    else:
        info.size = status.st_size
        if status.st_nlink > 1:
            links[status.st_ino] = entry.path
    return info


def _marker(folder: str, name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(f"{folder}/{name}" if folder else name)
    info.mode = 0o600
    return info


def _read_xattrs(entry: FolderEntry, info: tarfile.TarInfo) -> bool:
    """Add a file's extended attributes to its entry, with the owner that they note.

    Return whether it is an opaque folder of overlay.
    """
    opaque = False
    headers: dict[str, str] = {}
    path = f"/proc/self/fd/{entry.folder}/{entry.name}"
    with contextlib.suppress(OSError):  # not every file system has them
        for name in sorted(os.listxattr(path, follow_symlinks=False)):
            if name == overlay_marks.OPAQUE_XATTR:
                opaque = True
            elif name == owners.OWNER_XATTR:
                info.uid, info.gid = owners.read_owner(path, info.uid, info.gid)
            elif overlay_marks.is_kept(name):
                value = os.getxattr(path, name, follow_symlinks=False)
                headers[f"SCHILY.xattr.{name}"] = value.decode("utf-8", "surrogateescape")
    info.pax_headers = headers
    return opaque


def _write_member(info: tarfile.TarInfo, out: _Writer, content: FolderEntry | None = None) -> None:
    """Write an entry and its content, in one piece where that is short: most files are."""
    header = _plain_header(info) or info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
    if content is None:
        out.write(header)
        return
    out.reserve(info.size)
    padding = -info.size % tarfile.BLOCKSIZE
    with open_entry(content) as source:
        remaining = info.size
        while block := source.read(min(CHUNK, remaining)):
            remaining -= len(block)
            out.write(header + block if remaining else header + block + tarfile.NUL * padding)
            header = b""
    if remaining:  # the file shrank meanwhile: fill up, so that the next entry is where it belongs
        out.write(header + tarfile.NUL * (remaining + padding))


def _plain_header(info: tarfile.TarInfo) -> bytes:
    """Write the header of an ordinary entry, three times as fast as tarfile does; empty for all others."""
    name = (f"{info.name}/" if info.isdir() else info.name).encode(errors="surrogateescape")
    link = info.linkname.encode(errors="surrogateescape")
    special = (
        info.pax_headers or not name.isascii() or not link.isascii() or info.ischr() or info.isblk()
    )
    if (
        special
        or max(len(name), len(link)) > 100
        or info.size >= 8**11
        or max(info.uid, info.gid) >= 8**7
    ):
        return b""
    numbers = (info.mode, info.uid, info.gid, info.size, max(0, int(info.mtime)))
    fields = b"%07o\0%07o\0%07o\0%011o\0%011o\0" % numbers
    kind = info.type + link.ljust(100, b"\0") + b"ustar\x0000"
    start = name.ljust(100, b"\0") + fields
    total = sum(start) + sum(kind) + 8 * ord(" ")
    return (start + b"%06o\0 " % total + kind).ljust(tarfile.BLOCKSIZE, b"\0")
