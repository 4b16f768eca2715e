"""Extract the archive of an ADD into an image's root."""

import contextlib
import lzma
import os
import posixpath
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from cntnr_compose.builder.worker import tar
from cntnr_compose.builder.worker.copied_file import change_owner
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import files
from cntnr_compose.host.namespaces import subids
from cntnr_compose.host.openat2 import Root
from cntnr_compose.images.layers import overlay_marks, unpack
from cntnr_compose.images.layers.archive import decompress
from cntnr_compose.images.layers.archive.bounded_header import BoundedHeader

DAMAGES = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, decompress.StreamDamaged)
XATTR_HEADER = "SCHILY.xattr."


class AddedArchiveDamaged(CntnrError):
    """An archive that ADD unpacks cannot be read to its end."""

    def __init__(self, where: str, name: str, why: str) -> None:
        super().__init__(f"{where}: cannot unpack {name}: {why}")


def is_archive(path: Path) -> bool:
    """Return whether ADD unpacks a file: by its content, as docker does."""
    try:
        if _is_zstd(path):
            with path.open("rb") as blob:
                return _is_header(next(decompress.read_plain(blob), b"")[: tarfile.BLOCKSIZE])
        with tarfile.open(path, tarinfo=BoundedHeader) as archive:
            return archive.next() is not None
    except (OSError, *DAMAGES):
        return False


def _is_zstd(path: Path) -> bool:
    with path.open("rb") as blob:
        return decompress.is_zstd(blob.read(4))


def _is_header(block: bytes) -> bool:
    """Return whether a block is the header of an entry."""
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def extract_archive(
    root: Root,
    target: Path,
    archive: Path,
    *,
    owner: tuple[int, int] | None = None,
    where: str,
    check: Callable[[], None],
) -> None:
    """Extract an archive into a folder of an image; ``owner`` is that of all files instead of their own.

    Raises `AddedArchiveDamaged`, `IdNotMapped`.
    """
    is_empty = next(target.iterdir(), None) is None
    has_owners = subids.count_mapped_ids() > 1
    if owner is None and is_empty and has_owners and tar.extract(archive, target):
        return
    check()
    try:
        with (
            _readable(archive, check) as plain,
            tarfile.open(plain, errors="surrogateescape", tarinfo=BoundedHeader) as source,
        ):
            _Extraction(root, target, source, check, owner).run()
    except DAMAGES as error:
        why = str(error) or "it ends too early"
        raise AddedArchiveDamaged(where, archive.name, why) from error


@contextlib.contextmanager
def _readable(archive: Path, check: Callable[[], None]) -> Iterator[Path]:
    """Yield an archive in a form that Python reads. Raises `StreamDamaged`."""
    if not _is_zstd(archive):
        yield archive
        return
    with unpack.draft() as draft:
        plain = draft / "plain.tar"
        with archive.open("rb") as blob, plain.open("xb") as out:
            for piece in decompress.read_plain(blob):
                check()
                out.write(piece)
        yield plain


class _Extraction:
    """One pass through an archive."""

    def __init__(
        self,
        root: Root,
        target: Path,
        source: tarfile.TarFile,
        check: Callable[[], None],
        owner: tuple[int, int] | None,
    ) -> None:
        self.root, self.source, self.check, self.owner = root, source, check, owner
        self.base = "" if target == root.path else str(target.relative_to(root.path))
        # The folder of the last entry; links in the archive may change what a path leads to.
        self._last_folder: tuple[str, Path] | None = None
        self._folders: list[tuple[Path, int]] = []

    def run(self) -> None:
        """Extract everything; folders get their times last, since filling them changes those."""
        for member in self.source:
            self.check()
            self._extract_member(member)
        for folder, modified_at in reversed(self._folders):
            inside = str(folder.relative_to(self.root.path))
            # A later entry may have replaced it, by a link for example.
            if self.root.find(inside) == folder:
                os.utime(folder, (modified_at, modified_at), follow_symlinks=False)

    def _folder(self, path: str) -> Path:
        """Find the folder of an entry, and create it where it is missing."""
        if self._last_folder is not None and self._last_folder[0] == path:
            return self._last_folder[1]
        path_in_image = f"{self.base}/{path}".strip("/")
        real = self.root.resolve(path_in_image)
        if real is None:
            above, _, name = path.rpartition("/")
            folder = self._folder(above) / name
            if os.path.lexists(folder):
                folder.unlink()
            folder.mkdir(0o755)
        else:
            folder = self.root.join(real)
        self._last_folder = path, folder
        return folder

    def _extract_member(self, member: tarfile.TarInfo) -> None:
        path = _relative_name(member.name)
        folder, _, name = path.rpartition("/")
        if not path:
            target = self._folder("")
        else:
            target = self._folder(folder) / name
            self._remove_existing(member, target)
        if member.isdir():
            target.mkdir(exist_ok=True)
            self._folders.append((target, int(member.mtime)))
        elif member.isreg():
            self._content(member, target)
        elif member.issym():
            target.symlink_to(member.linkname)
            self._last_folder = None
        elif member.islnk():
            self._link(member, target)
            return
        elif member.isfifo():
            os.mkfifo(target)
        else:
            return  # a device: containers get theirs from the runtime, and no other can be created
        self._set_metadata(member, target)

    def _remove_existing(self, member: tarfile.TarInfo, target: Path) -> None:
        """Remove what is in the way of an entry."""
        if target.is_symlink() or (target.exists() and not (target.is_dir() and member.isdir())):
            files.remove_tree(target)
            self._last_folder = None

    def _link(self, member: tarfile.TarInfo, target: Path) -> None:
        """Create a hard link."""
        folder, _, name = _relative_name(member.linkname).rpartition("/")
        source = self._folder(folder) / name
        os.link(source, target, follow_symlinks=False)

    def _content(self, member: tarfile.TarInfo, target: Path) -> None:
        reader = self.source.extractfile(member)
        assert reader is not None
        with open(target, "xb", buffering=0) as out:  # noqa: PTH123 - thousands of files
            shutil.copyfileobj(reader, out, 1 << 20)

    def _set_metadata(self, member: tarfile.TarInfo, target: Path) -> None:
        """Set owner, mode, extended attributes and times."""
        change_owner(target, *(self.owner or (member.uid, member.gid)))
        if not member.issym():
            target.chmod(member.mode & 0o7777)
        for key, value in member.pax_headers.items():
            name = key.removeprefix(XATTR_HEADER)
            if name != key and overlay_marks.is_kept(name):
                with contextlib.suppress(OSError):  # not every file system has them
                    raw = value.encode("utf-8", "surrogateescape")
                    os.setxattr(target, name, raw, follow_symlinks=False)
        if not member.isdir():
            os.utime(target, (member.mtime, member.mtime), follow_symlinks=False)


def _relative_name(name: str) -> str:
    """Make a name relative to the folder that it cannot leave, without ``..``."""
    return posixpath.normpath(f"/{name}").lstrip("/")
