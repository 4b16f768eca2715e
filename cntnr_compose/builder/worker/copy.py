"""Copy files into an image's root for COPY and ADD, with the owners and modes that docker gives them."""

import contextlib
import errno
import io
import os
import posixpath
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from cntnr_compose.builder.dockerfile.steps import CopyStep
from cntnr_compose.builder.dockerfile.values.file_modes import parse_file_mode
from cntnr_compose.builder.sources.file_entries import FileEntry, read_xattrs
from cntnr_compose.builder.sources.source_files import SelectedSource, SourceFiles
from cntnr_compose.containers.bundle import accounts
from cntnr_compose.containers.spec import users
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host.namespaces import owners
from cntnr_compose.host.openat2 import Root
from cntnr_compose.model.host import FULL_ID_RANGE

CHUNK = 1 << 20
UNNAMED = "__unnamed__"  # BuildKit's name for what a URL without one leads to
MAX_LINKS = 40  # as many as the kernel follows


class CopyStepFailed(CntnrError):
    """Files cannot be copied to the target of COPY or ADD."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")


class CopyTarget:
    """The place in an image's root that a COPY fills."""

    def __init__(
        self,
        root: Root,
        step: CopyStep,
        where: str,
        check: Callable[[], None],
        *,
        accounts: Root | None = None,
    ) -> None:
        self.root, self.where, self.check = root, where, check
        self._has_mode, self._has_parents = bool(step.chmod), step.parents
        self._change_mode = parse_file_mode(step.chmod) if step.chmod else stat.S_IMODE
        # A layer of its own has no accounts: they are those of the stage.
        self.owner = resolve_owner(accounts or root, step.chown) if step.chown else None
        self.path = step.target
        self._links: dict[int, Path] = {}
        self._last_folder: tuple[str, Path] | None = None  # path in the image, path on the host

    def is_folder(self) -> bool:
        """Return whether files are copied into the target under their own names."""
        if self.path.endswith("/"):
            return True
        target = self.root.find(self.path)
        return target is not None and target.is_dir()

    def make_folder(self, path: str) -> Path:
        """Create a folder and those above it where they are missing, and return its path."""
        real, pending, links = "", _reversed_parts(path), 0
        while pending:
            part = pending.pop()
            path_so_far = f"{real}/{part}" if real else part
            resolved = self.root.resolve(path_so_far)
            if resolved is None:
                folder = self.root.join(path_so_far)
                # It may be a link to a folder that does not exist yet.
                if folder.is_symlink() and links < MAX_LINKS:
                    link, links = str(folder.readlink()), links + 1
                    real = "" if link.startswith("/") else real
                    pending += _reversed_parts(link)
                    continue
                self._create_folder(folder)
                resolved = path_so_far
            real = resolved
        folder = self.root.join(real)
        if not folder.is_dir():
            raise CopyStepFailed(self.where, f"cannot copy to {path}: it is not a folder")
        return folder

    def _create_folder(self, folder: Path) -> None:
        """Create one folder with the owner of the COPY."""
        try:
            folder.mkdir()
        except (FileExistsError, NotADirectoryError):
            inside = str(folder).removeprefix(str(self.root.path))
            raise CopyStepFailed(
                self.where, f"cannot copy to {inside}: it is not a folder"
            ) from None
        # The group of the folder above may be handed down.
        folder.chmod(0o755 | folder.stat().st_mode & stat.S_ISGID)
        change_owner(folder, *(self.owner or (0, 0)))

    def file_path(self, name: str) -> Path:
        """Return where a file of this name goes; create the folders above it."""
        if self.is_folder():
            if "/" in name or name in ("", ".", ".."):
                raise CopyStepFailed(
                    self.where, f"cannot copy to {self.path}{name}: not a file's name"
                )
            return self.make_folder(self.path) / name
        folder, _, last = self.path.rpartition("/")
        return self.root.find(self.path) or self.make_folder(folder) / last

    def copy_source(
        self, files: SourceFiles, source: SelectedSource, exclude: tuple[str, ...]
    ) -> None:
        """Copy one selected source: the content of a folder, or a file."""
        is_new = not self.path.endswith("/") and self.root.find(self.path) is None
        target = (
            self.make_folder(self.path) if source.top.is_folder else self.file_path(source.name)
        )
        base = "" if target == self.root.path else str(target.relative_to(self.root.path))
        self._links = {}
        folders = []  # their times are set when they are full
        for entry in files.walk(source, exclude):
            self.check()
            path = self._path_in_folder(f"{base}/{entry.path}") if entry.path else target
            if entry.path or not entry.is_folder:
                self._copy_entry(entry, path, files)
            elif is_new and self._has_mode and self.owner is None:
                path.chmod(self._change_mode(entry.mode))
            # The target takes only the source's time, and a context itself has none.
            has_time = not self._has_parents and not _is_context(entry, files)
            if entry.is_folder and (entry.path or has_time):
                folders.append((path, entry.stamp[2]))
        for path, modified_at in reversed(folders):
            os.utime(path, ns=(modified_at, modified_at), follow_symlinks=False)

    def _path_in_folder(self, path: str) -> Path:
        """Find the path for an entry of a folder; its parent was copied before it, or is in the image."""
        folder, _, name = path.rpartition("/")
        if self._last_folder is None or self._last_folder[0] != folder:
            parent = self.root.find(folder)
            if parent is None or not parent.is_dir():
                raise CopyStepFailed(
                    self.where, f"cannot copy to non-directory: /{folder.strip('/')}"
                )
            self._last_folder = folder, parent
        return self._last_folder[1] / name

    def write_inline_file(self, name: str, content: str) -> None:
        """Write a file whose content is in the Dockerfile."""
        target = self.file_path(name)
        _remove_file(target, self.where)
        target.write_text(content)
        change_owner(target, *(self.owner or (0, 0)))
        target.chmod(self._change_mode(stat.S_IFREG | 0o644))

    def copy_download(self, url: str, source: Path) -> None:
        """Copy a downloaded file; like docker, readable by its owner only."""
        path = urlsplit(url).path
        target = self.file_path(posixpath.basename(path) or UNNAMED)
        _remove_file(target, self.where)
        shutil.copyfile(source, target)
        change_owner(target, *(self.owner or (0, 0)))
        target.chmod(self._change_mode(stat.S_IFREG | 0o600))
        modified_at = source.stat().st_mtime_ns
        os.utime(target, ns=(modified_at, modified_at))

    def _copy_entry(self, entry: FileEntry, target: Path, files: SourceFiles) -> None:
        """Copy a file or create a folder, with owner, mode and times."""
        if entry.is_folder:
            if target.is_symlink() or not target.is_dir():
                if os.path.lexists(target):
                    inside = str(target).removeprefix(str(self.root.path))
                    raise CopyStepFailed(self.where, f"cannot copy to non-directory: {inside}")
                target.mkdir()
        else:
            _remove_file(target, self.where)
            if entry.links > 1 and self._link_to_copy(entry, target):
                return
            self._copy_content(entry, target, files)
        self._set_metadata(entry, target, files)

    def _set_metadata(self, entry: FileEntry, target: Path, files: SourceFiles) -> None:
        """Set owner, mode, extended attributes and times."""
        uid, gid = self.owner or ((entry.uid, entry.gid) if files.keep_owners else (0, 0))
        change_owner(target, uid, gid)
        if not stat.S_ISLNK(entry.mode):
            target.chmod(self._change_mode(entry.mode))
        copy_xattrs(entry.host_path, target)
        os.utime(target, ns=(entry.stamp[2], entry.stamp[2]), follow_symlinks=False)

    def _link_to_copy(self, entry: FileEntry, target: Path) -> bool:
        """Link to the copy of another name of the same file; return whether there is one."""
        first = self._links.setdefault(entry.stamp[0], target)
        if first is target:
            return False
        os.link(first, target, follow_symlinks=False)
        return True

    def _copy_content(self, entry: FileEntry, target: Path, files: SourceFiles) -> None:
        if stat.S_ISLNK(entry.mode):
            target.symlink_to(Path(entry.host_path).readlink())
        elif stat.S_ISREG(entry.mode):
            with files.open_file(entry) as content, open(target, "xb", buffering=0) as out:  # noqa: PTH123
                _copy_bytes(content, out)
        elif stat.S_ISFIFO(entry.mode):
            os.mkfifo(target)
        else:
            raise CopyStepFailed(self.where, f"cannot copy {entry.host_path}: it is a device")


def copy_files(
    root: Root,
    step: CopyStep,
    files: SourceFiles | None,
    selection: list[SelectedSource],
    *,
    where: str,
    check: Callable[[], None],
    target: CopyTarget | None = None,
) -> None:
    """Copy the selected and the inline files of a COPY. Raises `CopyStepFailed`, `SourceUnreadable`."""
    target = target or CopyTarget(root, step, where, check)
    if len(selection) > 1 and not target.is_folder():
        raise CopyStepFailed(
            where, f"several files fit, so {step.target} must be a folder and end with a /"
        )
    for selected in selection:
        assert files is not None
        target.copy_source(files, selected, step.exclude)
    for text in step.texts:
        target.write_inline_file(text.name, text.content)


def resolve_owner(root: Root, text: str) -> tuple[int, int]:
    """Look up ``user:group`` in the image's own files.

    Raises `UserUnknown`, `IdNotMapped`, `AccountsUnreadable`.
    """
    with accounts.read_accounts(root, runs=False) as (passwd, group):
        identity = users.resolve_user(text, passwd=passwd, group=group, id_count=FULL_ID_RANGE)
    # For COPY, a number without group is the group's number, too, and nothing after the colon is root's.
    name, colon, group_name = text.partition(":")
    if colon and not group_name:
        return identity.uid, 0
    return identity.uid, (identity.uid if name.isdecimal() and not colon else identity.gid)


def change_owner(path: Path, uid: int, gid: int) -> None:
    """Change the owner of a file, or note it (`owners`). Raises `IdNotMapped`."""
    try:
        owners.forget_owner(path)  # a folder that is copied into may have had another
        owners.change_owner_of_name(path, uid, gid)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        kind, number = ("user", uid) if uid >= FULL_ID_RANGE else ("group", gid)
        raise users.IdNotMapped(kind, str(number), number, FULL_ID_RANGE) from error


def copy_xattrs(source: str, target: Path) -> None:
    """Copy the extended attributes that belong to a file's content."""
    with contextlib.suppress(OSError):  # not every file system has them
        for name, value in read_xattrs(source):
            os.setxattr(target, name, value, follow_symlinks=False)


def _is_context(entry: FileEntry, files: SourceFiles) -> bool:
    """Return whether an entry is the folder itself of a context, whose mode and times say nothing."""
    return not files.keep_owners and entry.host_path == str(files.root)


def _reversed_parts(path: str) -> list[str]:
    """Split a path into its parts, the last one first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _copy_bytes(source: io.FileIO, target: io.FileIO) -> None:
    """Copy a file's content inside the kernel, where the file system can: thousands of files are small."""
    try:
        while os.sendfile(target.fileno(), source.fileno(), None, CHUNK):
            pass
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
        shutil.copyfileobj(source, target, CHUNK)


def _remove_file(path: Path, where: str) -> None:
    """Remove the file that is to be replaced. Raises `CopyStepFailed` for a folder."""
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return  # as a rule: one look is all that a new file costs
    if stat.S_ISDIR(mode):
        raise CopyStepFailed(where, f"cannot copy over the folder {path.name} with a file")
    path.unlink(missing_ok=True)
