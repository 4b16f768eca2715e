"""ADD of an archive: its files go into an image's root as they are in the archive."""

import contextlib
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

from cntnr_compose.builder.worker import tar
from cntnr_compose.builder.worker.copy import KEPT_XATTRS, change_owner
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import files
from cntnr_compose.host.openat2 import Root

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
XATTR_HEADER = "SCHILY.xattr."


class AddedArchiveDamaged(CntnrError):
    """An archive that ADD unpacks cannot be read to its end."""

    def __init__(self, where: str, name: str, why: str) -> None:
        super().__init__(f"{where}: cannot unpack {name}: {why}")


def is_archive(path: Path) -> bool:
    """Tell whether ADD unpacks a file: by its content, as docker does."""
    try:
        with tarfile.open(path) as archive:
            return archive.next() is not None
    except (tarfile.TarError, EOFError, OSError):
        with path.open("rb") as head:
            return head.read(4) == ZSTD_MAGIC and path.name.endswith((".tar.zst", ".tzst"))


def extract_archive(
    root: Root, target: Path, archive: Path, *, where: str, check: Callable[[], None]
) -> None:
    """Unpack an archive into a folder of an image. Raises `ArchiveDamaged`, `IdNotMapped`."""
    if next(target.iterdir(), None) is None and tar.extract(archive, target):
        return
    check()
    try:
        with tarfile.open(archive, errors="surrogateescape") as source:
            _Extraction(root, target, source, check).run()
    except (tarfile.TarError, EOFError) as error:
        hint = (
            "zstd is not supported here" if _is_zstd(archive) else str(error) or "it ends too early"
        )
        raise AddedArchiveDamaged(where, archive.name, hint) from error


def _is_zstd(path: Path) -> bool:
    with path.open("rb") as head:
        return head.read(4) == ZSTD_MAGIC


class _Extraction:
    """One pass through an archive."""

    def __init__(
        self, root: Root, target: Path, source: tarfile.TarFile, check: Callable[[], None]
    ) -> None:
        self.root, self.source, self.check = root, source, check
        self.base = "" if target == root.path else str(target.relative_to(root.path))
        # Where the last entry's folder is; links in the archive may change where others are.
        self._last: tuple[str, Path] | None = None
        self._folders: list[tuple[Path, int]] = []

    def run(self) -> None:
        """Unpack everything; folders get their times last, since filling them changes those."""
        for member in self.source:
            self.check()
            self._extract_member(member)
        for place, moment in reversed(self._folders):
            inside = str(place.relative_to(self.root.path))
            if self.root.find(inside) == place:  # else there is something else now: a link, perhaps
                os.utime(place, (moment, moment), follow_symlinks=False)

    def _folder(self, path: str) -> Path:
        """Find the folder that an entry goes into, and make it where there is none."""
        if self._last is not None and self._last[0] == path:
            return self._last[1]
        inside = f"{self.base}/{path}".strip("/")
        real = self.root.resolve(inside)
        if real is None:
            above, _, name = path.rpartition("/")
            place = self._folder(above) / name
            if os.path.lexists(place):
                place.unlink()
            place.mkdir(0o755)
        else:
            place = self.root.join(real)
        self._last = path, place
        return place

    def _extract_member(self, member: tarfile.TarInfo) -> None:
        path = _relative_name(member.name)
        folder, _, name = path.rpartition("/")
        if not path:
            place = self._folder("")
        else:
            place = self._folder(folder) / name
            self._remove_existing(member, place)
        if member.isdir():
            place.mkdir(exist_ok=True)
            self._folders.append((place, int(member.mtime)))
        elif member.isreg():
            self._content(member, place)
        elif member.issym():
            place.symlink_to(member.linkname)
            self._last = None
        elif member.islnk():
            self._link(member, place)
            return
        elif member.isfifo():
            os.mkfifo(place)
        else:
            return  # a device: the container gets its own, and nobody else may make one
        self._set_metadata(member, place)

    def _remove_existing(self, member: tarfile.TarInfo, place: Path) -> None:
        if place.is_symlink() or (place.exists() and not (place.is_dir() and member.isdir())):
            files.remove_tree(place)
            self._last = None

    def _link(self, member: tarfile.TarInfo, place: Path) -> None:
        folder, _, name = _relative_name(member.linkname).rpartition("/")
        source = self._folder(folder) / name
        os.link(source, place, follow_symlinks=False)

    def _content(self, member: tarfile.TarInfo, place: Path) -> None:
        reader = self.source.extractfile(member)
        assert reader is not None
        with open(place, "xb", buffering=0) as out:  # noqa: PTH123 - thousands of files
            shutil.copyfileobj(reader, out, 1 << 20)

    def _set_metadata(self, member: tarfile.TarInfo, place: Path) -> None:
        change_owner(place, member.uid, member.gid)
        if not member.issym():
            place.chmod(member.mode & 0o7777)
        for key, value in member.pax_headers.items():
            if key.startswith(XATTR_HEADER) and key.removeprefix(XATTR_HEADER).startswith(
                KEPT_XATTRS
            ):
                with contextlib.suppress(OSError):  # not every file system has them
                    raw = value.encode("utf-8", "surrogateescape")
                    os.setxattr(place, key.removeprefix(XATTR_HEADER), raw, follow_symlinks=False)
        if not member.isdir():
            os.utime(place, (member.mtime, member.mtime), follow_symlinks=False)


def _relative_name(name: str) -> str:
    """Make a name relative, without a way out."""
    return "/".join(part for part in name.split("/") if part not in ("", ".", ".."))
