"""Read and write tar archives as streams of entries; `tarfile` is imported where it is needed."""

import io
import os
import posixpath
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import IO, TYPE_CHECKING

from cntnr_compose.containers.files.entry import TreeEntry
from cntnr_compose.containers.files.errors import ArchiveUnreadable, LeadsOutside
from cntnr_compose.images.layers import overlay_marks

if TYPE_CHECKING:
    import tarfile

XATTR_KEY = "SCHILY.xattr."  # in headers of the pax format
NANOSECONDS = 1_000_000_000
LATEST_MTIME = 1 << 62


def extract_archive(
    stream: IO[bytes], write: Callable[[TreeEntry, IO[bytes] | None], None]
) -> None:
    """Pass the entries of an archive, which may be compressed, to ``write``, each with its content.

    A name that leads out of the archive's top is refused. Raises `ArchiveUnreadable`, `LeadsOutside`, and
    what ``write`` raises.
    """
    import tarfile

    from cntnr_compose.images.layers.archive.bounded_header import BoundedHeader

    try:
        with tarfile.open(
            fileobj=stream, mode="r|*", tarinfo=BoundedHeader, errors="surrogateescape"
        ) as archive:
            for member in archive:
                entry = _to_entry(member)
                if entry is not None:
                    write(entry, archive.extractfile(member) if entry.has_content else None)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise ArchiveUnreadable(str(error)) from error


def _to_entry(member: "tarfile.TarInfo") -> TreeEntry | None:
    """Convert a member; None for kinds that no file is."""
    kind = _file_type(member)
    if not kind:
        return None
    return TreeEntry(
        path=_check_name(member.name),
        mode=kind | (member.mode & 0o7777),
        uid=member.uid,
        gid=member.gid,
        mtime=min(max(int(member.mtime * NANOSECONDS), 0), LATEST_MTIME),
        size=member.size,
        target=os.fsencode(member.linkname) if member.issym() else b"",
        same_file=_check_name(member.linkname) if member.islnk() else b"",
        xattrs=tuple(_read_xattrs(member)),
    )


def _file_type(member: "tarfile.TarInfo") -> int:
    if member.isreg() or member.islnk():
        return stat.S_IFREG
    if member.isdir():
        return stat.S_IFDIR
    if member.issym():
        return stat.S_IFLNK
    if member.isfifo():
        return stat.S_IFIFO
    if member.isdev():
        return stat.S_IFCHR
    return 0


def _check_name(name: str) -> bytes:
    clean = posixpath.normpath(name).lstrip("/")
    if clean == ".." or clean.startswith("../"):
        raise LeadsOutside(name)
    return b"" if clean == "." else os.fsencode(clean)


def _read_xattrs(member: "tarfile.TarInfo") -> Iterator[tuple[bytes, bytes]]:
    for key, value in member.pax_headers.items():
        name = key.removeprefix(XATTR_KEY)
        if name != key and overlay_marks.is_kept(name):
            yield os.fsencode(name), value.encode("utf-8", "surrogateescape")


def write_archive(
    stream: IO[bytes], entries: Iterable[tuple[TreeEntry, int | None]], name: str
) -> None:
    """Write entries as an archive, the top by ``name``, and close their files.

    Where ``name`` is empty, what is below the top stands at the top of the archive.
    """
    import tarfile

    with tarfile.open(
        fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT, errors="surrogateescape"
    ) as archive:
        for entry, descriptor in entries:
            if not name and not entry.path:
                continue
            member = _to_member(entry, name)
            if descriptor is None:
                archive.addfile(member)
                continue
            with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 - it is open
                archive.addfile(member, _PaddedFile(file))


def _to_member(entry: TreeEntry, name: str) -> "tarfile.TarInfo":
    import tarfile

    member = tarfile.TarInfo(_member_name(entry.path, name))
    member.mode = stat.S_IMODE(entry.mode)
    member.uid, member.gid, member.mtime = entry.uid, entry.gid, entry.mtime // NANOSECONDS
    if entry.same_file:
        member.type, member.linkname = tarfile.LNKTYPE, _member_name(entry.same_file, name)
    elif stat.S_ISREG(entry.mode):
        member.size = entry.size
    elif stat.S_ISDIR(entry.mode):
        member.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(entry.mode):
        member.type, member.linkname = tarfile.SYMTYPE, os.fsdecode(entry.target)
    elif stat.S_ISFIFO(entry.mode):
        member.type = tarfile.FIFOTYPE
    else:
        member.type = tarfile.CHRTYPE if stat.S_ISCHR(entry.mode) else tarfile.BLKTYPE
        member.devmajor, member.devminor = os.major(entry.device), os.minor(entry.device)
    member.pax_headers = {
        XATTR_KEY + os.fsdecode(key): value.decode("utf-8", "surrogateescape")
        for key, value in entry.xattrs
    }
    return member


def _member_name(path: bytes, name: str) -> str:
    below = os.fsdecode(path)
    return f"{name}/{below}" if name and below else name or below


class _PaddedFile(io.RawIOBase):
    """A file that goes on with zeros where it has become shorter, since its size is written already."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        return data + bytes(size - len(data))
