"""COPY and ADD: files go into an image's root, with the owners and modes that docker gives them."""

import contextlib
import errno
import os
import posixpath
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

from cntnr_compose.builder.dockerfile.dockerignore import IgnorePatterns
from cntnr_compose.builder.dockerfile.steps import CopyStep
from cntnr_compose.builder.source_files import FileEntry, SelectedSource, SourceFiles
from cntnr_compose.containers.bundle import accounts
from cntnr_compose.containers.spec import users
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host.openat2 import Root
from cntnr_compose.model.host import SUBORDINATE_ID_COUNT

KEPT_XATTRS = ("user.", "security.capability")
OVERLAY_XATTRS = "user.overlay."
CHUNK = 1 << 20
MAX_LINKS = 40  # as many as the kernel follows


class CopyStepFailed(CntnrError):
    """Files cannot go where COPY or ADD wants them."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")


class CopyTarget:
    """An image's root, and the place in it that a COPY fills."""

    def __init__(self, root: Root, copy: CopyStep, where: str, check: Callable[[], None]) -> None:
        self.root, self.where, self.check = root, where, check
        self.mode = int(copy.chmod, 8) if copy.chmod else None
        self.owner = resolve_owner(root, copy.chown) if copy.chown else None
        self.path = copy.target
        self._links: dict[tuple[str, int], Path] = {}
        self._last: tuple[str, Path] | None = None  # a folder by its path in the image

    def is_folder(self) -> bool:
        """Tell whether files go into the target under their own names."""
        if self.path.endswith("/"):
            return True
        found = self.root.find(self.path)
        return found is not None and found.is_dir()

    def make_folder(self, path: str) -> Path:
        """Make a folder and those above it where there are none, and give it."""
        real, ahead, links = "", _reversed_parts(path), 0
        while ahead:
            part = ahead.pop()
            step = f"{real}/{part}" if real else part
            found = self.root.resolve(step)
            if found is None:
                place = self.root.join(step)
                if place.is_symlink() and links < MAX_LINKS:  # to a folder that is to be made
                    to, links = str(place.readlink()), links + 1
                    real = "" if to.startswith("/") else real
                    ahead += _reversed_parts(to)
                    continue
                self._create_folder(place)
                found = step
            real = found
        place = self.root.join(real)
        if not place.is_dir():
            raise CopyStepFailed(self.where, f"cannot copy to {path}: it is not a folder")
        return place

    def _create_folder(self, place: Path) -> None:
        try:
            place.mkdir()
        except (FileExistsError, NotADirectoryError):
            inside = str(place).removeprefix(str(self.root.path))
            raise CopyStepFailed(
                self.where, f"cannot copy to {inside}: it is not a folder"
            ) from None
        place.chmod(0o755)
        change_owner(place, *(self.owner or (0, 0)))

    def file_path(self, name: str) -> Path:
        """Say where a file of this name goes, and make the folders that it goes into."""
        if self.is_folder():
            if "/" in name or name in ("", ".", ".."):
                raise CopyStepFailed(
                    self.where, f"cannot copy to {self.path}{name}: not a file's name"
                )
            return self.make_folder(self.path) / name
        folder, _, last = self.path.rpartition("/")
        return self.root.find(self.path) or self.make_folder(folder) / last

    def copy_source(self, files: SourceFiles, one: SelectedSource, exclude: IgnorePatterns) -> None:
        """Copy one selection: a folder's content, or a file."""
        place = self.make_folder(self.path) if one.top.is_folder else self.file_path(one.name)
        base = "" if place == self.root.path else str(place.relative_to(self.root.path))
        for found in files.walk(one, exclude):
            self.check()
            if found.path:
                self._copy_entry(found, self._path_in_folder(f"{base}/{found.path}"), files)
            elif not found.is_folder:
                self._copy_entry(found, place, files)

    def _path_in_folder(self, path: str) -> Path:
        """Say where a path of the image is; its folder was copied before it, or is the image's own."""
        folder, _, name = path.rpartition("/")
        if self._last is None or self._last[0] != folder:
            place = self.root.find(folder)
            if place is None or not place.is_dir():
                raise CopyStepFailed(
                    self.where, f"cannot copy to non-directory: /{folder.strip('/')}"
                )
            self._last = folder, place
        return self._last[1] / name

    def write_inline_file(self, name: str, content: str) -> None:
        """Write a file whose content stands in the Dockerfile."""
        place = self.file_path(name)
        _remove_file(place, self.where)
        place.write_text(content)
        change_owner(place, *(self.owner or (0, 0)))
        place.chmod(0o644 if self.mode is None else self.mode)

    def copy_download(self, url: str, source: Path) -> None:
        """Put a downloaded file in its place; like docker, readable by its owner alone."""
        name = posixpath.basename(url.partition("?")[0])
        if self.is_folder() and not name:
            raise CopyStepFailed(self.where, f"cannot tell the file name of {url}")
        place = self.file_path(name)
        _remove_file(place, self.where)
        shutil.copyfile(source, place)
        change_owner(place, *(self.owner or (0, 0)))
        place.chmod(0o600 if self.mode is None else self.mode)
        moment = source.stat().st_mtime_ns
        os.utime(place, ns=(moment, moment))

    def _copy_entry(self, found: FileEntry, place: Path, files: SourceFiles) -> None:
        uid, gid = self.owner or ((found.uid, found.gid) if files.keep_owners else (0, 0))
        mode = stat.S_IMODE(found.mode) if self.mode is None else self.mode
        if found.is_folder:
            if place.is_symlink() or not place.is_dir():
                if os.path.lexists(place):
                    inside = str(place).removeprefix(str(self.root.path))
                    raise CopyStepFailed(self.where, f"cannot copy to non-directory: {inside}")
                place.mkdir()
        else:
            _remove_file(place, self.where)
            if found.links > 1 and files.keep_owners and self._link_to_copy(found, place):
                return
            self._copy_content(found, place, files)
        change_owner(place, uid, gid)
        if not stat.S_ISLNK(found.mode):
            place.chmod(mode)
        if files.keep_owners:
            copy_xattrs(found.host_path, place)
        os.utime(place, ns=(found.stamp[2], found.stamp[2]), follow_symlinks=False)

    def _link_to_copy(self, found: FileEntry, place: Path) -> bool:
        first = self._links.setdefault((self.path, found.stamp[0]), place)
        if first is place:
            return False
        os.link(first, place, follow_symlinks=False)
        return True

    def _copy_content(self, found: FileEntry, place: Path, files: SourceFiles) -> None:
        if stat.S_ISLNK(found.mode):
            place.symlink_to(Path(found.host_path).readlink())
        elif stat.S_ISREG(found.mode):
            with files.open_file(found) as content, open(place, "xb", buffering=0) as out:  # noqa: PTH123
                shutil.copyfileobj(content, out, CHUNK)
        elif stat.S_ISFIFO(found.mode):
            os.mkfifo(place)
        else:
            raise CopyStepFailed(self.where, f"cannot copy {found.host_path}: it is a device")


def copy_files(
    root: Root,
    work: CopyStep,
    files: SourceFiles | None,
    chosen: list[SelectedSource],
    *,
    where: str,
    check: Callable[[], None],
) -> None:
    """Carry a COPY out, archives and downloads apart. Raises `CopyFailed`, `SourceUnreadable`."""
    target = CopyTarget(root, work, where, check)
    if len(chosen) > 1 and not target.is_folder():
        raise CopyStepFailed(
            where, f"several files fit, so {work.target} must be a folder and end with a /"
        )
    exclude = IgnorePatterns(work.exclude)
    for one in chosen:
        assert files is not None
        target.copy_source(files, one, exclude)
    for text in work.texts:
        target.write_inline_file(text.name, text.content)


def resolve_owner(root: Root, text: str) -> tuple[int, int]:
    """Look ``user:group`` up in the image's own files.

    Raises `UserUnknown`, `IdNotMapped`, `AccountsUnreadable`.
    """
    with accounts.read_accounts(root, runs=False) as (passwd, group):
        found = users.resolve_user(text, passwd=passwd, group=group, id_count=SUBORDINATE_ID_COUNT)
    # For COPY, a number alone means the group of that number, too.
    who, colon, _ = text.partition(":")
    return found.uid, (found.uid if who.isdecimal() and not colon else found.gid)


def change_owner(place: Path, uid: int, gid: int) -> None:
    """Change a file's owner. Raises `IdNotMapped`."""
    try:
        os.lchown(place, uid, gid)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        kind, number = ("user", uid) if uid >= SUBORDINATE_ID_COUNT else ("group", gid)
        raise users.IdNotMapped(kind, str(number), number, SUBORDINATE_ID_COUNT) from error


def copy_xattrs(source: str, place: Path) -> None:
    """Copy the extended attributes that belong to a file's content."""
    with contextlib.suppress(OSError):  # not every file system has them
        for name in os.listxattr(source, follow_symlinks=False):
            if name.startswith(KEPT_XATTRS) and not name.startswith(OVERLAY_XATTRS):
                value = os.getxattr(source, name, follow_symlinks=False)
                os.setxattr(place, name, value, follow_symlinks=False)


def _reversed_parts(path: str) -> list[str]:
    """Give the parts of a path, the last one first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _remove_file(place: Path, where: str) -> None:
    """Make way for a file."""
    if not place.is_symlink() and place.is_dir():
        raise CopyStepFailed(where, f"cannot copy over the folder {place.name} with a file")
    place.unlink(missing_ok=True)
