"""Extract the archive of a build context into a folder that nobody else writes to."""

import os
import tarfile
from pathlib import Path
from typing import IO

from cntnr_compose.core.errors import CntnrError

HEAD_SIZE = 512  # bytes that tell whether something is an archive
COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
ZSTD = b"\x28\xb5\x2f\xfd"
MAX_ENTRIES = 1_000_000
NO_ZSTD = "zstd is not supported here"


class ContextArchiveBad(CntnrError):
    """The archive of a context cannot be extracted."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(f"cannot read the archive of the context: {why}")
        self.hint = hint


def is_archive_head(head: bytes) -> bool:
    """Tell by the first bytes of something whether it is an archive, compressed or not."""
    if head.startswith((*COMPRESSED, ZSTD)):
        return True
    try:
        tarfile.TarInfo.frombuf(head[:HEAD_SIZE], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def extract_context(archive: IO[bytes], folder: Path) -> None:
    """Extract an archive into an empty folder; devices and pipes are left out, owners are not kept.

    Nothing is written outside the folder, and no file outside is linked to. Raises `ContextArchiveBad`.
    """
    head = archive.read(len(ZSTD))
    archive.seek(0)
    if head == ZSTD:
        raise ContextArchiveBad(NO_ZSTD, "compress it with gzip or xz")
    try:
        with tarfile.open(fileobj=archive, errors="surrogateescape") as members:
            _extract_members(members, folder)
    except (tarfile.TarError, EOFError) as error:
        why = str(error) or "it ends too early"
        raise ContextArchiveBad(why) from error
    except OSError as error:
        raise ContextArchiveBad(error.strerror or str(error)) from error


def _extract_members(members: tarfile.TarFile, folder: Path) -> None:
    # What newer versions of the library would do by themselves is done here, in one way for all versions.
    members.extraction_filter = lambda member, _path: member
    directories = []
    for count, member in enumerate(members):
        if count >= MAX_ENTRIES:
            why = f"it has more than {MAX_ENTRIES} entries"
            raise ContextArchiveBad(why)
        if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
            continue
        mode = member.mode & 0o7777
        _make_safe(member, folder)
        path = folder / member.name
        if path.is_symlink() or path.is_file():  # else a link would be written through
            path.unlink()
        members.extract(member, folder)
        if member.isdir():
            directories.append((folder / member.name, mode))
    for path, mode in reversed(directories):
        if path.is_dir() and not path.is_symlink():  # a later entry may have taken its place
            path.chmod(mode | 0o500)


def _make_safe(member: tarfile.TarInfo, folder: Path) -> None:
    """Have an entry be ours and readable. Raises `ContextArchiveBad` where it leads out of the folder."""
    member.name = member.name.lstrip("/")
    if member.islnk():
        member.linkname = member.linkname.lstrip("/")
    for name in (member.name, member.linkname if member.islnk() else ""):
        top = os.path.realpath(folder)
        parent, _, last = name.rstrip("/").rpartition("/")
        place = os.path.join(os.path.realpath(folder / parent), last)  # noqa: PTH118 - keeps ..
        if last == ".." or os.path.commonpath([os.path.normpath(place), top]) != top:
            why = f"an entry leads out of it: {name}"
            raise ContextArchiveBad(why)
    member.uid, member.gid, member.uname, member.gname = os.getuid(), os.getgid(), "", ""
    member.mode = (member.mode & 0o7777) | (0o700 if member.isdir() else 0o400)
