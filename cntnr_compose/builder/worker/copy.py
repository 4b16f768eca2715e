"""Copy files into an image's root for COPY and ADD, with the owners and modes that docker gives them."""

import os
import posixpath
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from cntnr_compose.builder.dockerfile.steps import CopyStep
from cntnr_compose.builder.dockerfile.values.file_modes import parse_file_mode
from cntnr_compose.builder.sources.file_entries import FileEntry, stamp_of
from cntnr_compose.builder.sources.source_files import SelectedSource, SelectionDigest, SourceFiles
from cntnr_compose.builder.worker.copied_file import (
    CopyStepFailed,
    change_owner,
    copy_bytes,
    copy_xattrs,
    create_file,
    remove_file,
)
from cntnr_compose.containers.bundle import accounts
from cntnr_compose.containers.spec import users
from cntnr_compose.host.openat2 import Root
from cntnr_compose.model.host import FULL_ID_RANGE

UNNAMED = "__unnamed__"  # BuildKit's name for what a URL without one leads to
MAX_LINKS = 40  # as many as the kernel follows


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
        self.is_unchanged = True  # no file has changed while it was copied
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
        self,
        files: SourceFiles,
        source: SelectedSource,
        exclude: tuple[str, ...],
        digest: SelectionDigest | None = None,
    ) -> None:
        """Copy one selected source: the content of a folder, or a file; add it to a digest."""
        is_new = not self.path.endswith("/") and self.root.find(self.path) is None
        target = (
            self.make_folder(self.path) if source.top.is_folder else self.file_path(source.name)
        )
        base = "" if target == self.root.path else str(target.relative_to(self.root.path))
        self._links = {}
        folders = []  # their times are set when they are full
        if digest is not None:
            digest.begin(source)
        for entry in files.walk(source, exclude):
            self.check()
            if digest is not None:
                digest.add(entry)
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
        remove_file(target, self.where)
        target.write_text(content)
        change_owner(target, *(self.owner or (0, 0)))
        target.chmod(self._change_mode(stat.S_IFREG | 0o644))

    def copy_download(self, url: str, source: Path) -> None:
        """Copy a downloaded file; like docker, readable by its owner only."""
        path = urlsplit(url).path
        target = self.file_path(posixpath.basename(path) or UNNAMED)
        remove_file(target, self.where)
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
        elif stat.S_ISREG(entry.mode):
            if entry.links == 1 or not self._link_to_copy(entry, target):
                self._copy_regular_file(entry, target, files)
            return
        else:
            remove_file(target, self.where)
            if entry.links > 1 and self._link_to_copy(entry, target):
                return
            self._create_special_file(entry, target)
        self._set_metadata(entry, target, files)

    def _owner_of(self, entry: FileEntry, files: SourceFiles) -> tuple[int, int]:
        return self.owner or ((entry.uid, entry.gid) if files.keep_owners else (0, 0))

    def _copy_regular_file(self, entry: FileEntry, target: Path, files: SourceFiles) -> None:
        """Copy a regular file with its metadata, all by descriptor: paths of an overlay take long."""
        mode = self._change_mode(entry.mode)
        with files.open_file(entry) as content, create_file(target, mode, self.where) as out:
            copy_bytes(content, out, entry.stamp[1])
            created, owner = os.fstat(out.fileno()), self._owner_of(entry, files)
            is_other = (created.st_uid, created.st_gid) != owner
            if is_other:
                change_owner(out.fileno(), *owner)
            if is_other or stat.S_IMODE(created.st_mode) != mode:
                os.fchmod(out.fileno(), mode)
            copy_xattrs(content.fileno(), out.fileno())
            os.utime(out.fileno(), ns=(entry.stamp[2], entry.stamp[2]))
            # But for the inode, whose number on an overlay may be another one with each look.
            if stamp_of(os.fstat(content.fileno()))[1:] != entry.stamp[1:]:
                self.is_unchanged = False

    def _set_metadata(self, entry: FileEntry, target: Path, files: SourceFiles) -> None:
        """Set owner, mode, extended attributes and times of what is no regular file."""
        change_owner(target, *self._owner_of(entry, files))
        if not stat.S_ISLNK(entry.mode):
            target.chmod(self._change_mode(entry.mode))
        copy_xattrs(entry.host_path, target)
        os.utime(target, ns=(entry.stamp[2], entry.stamp[2]), follow_symlinks=False)

    def _link_to_copy(self, entry: FileEntry, target: Path) -> bool:
        """Link to the copy of another name of the same file; return whether there is one."""
        first = self._links.setdefault(entry.stamp[0], target)
        if first is target:
            return False
        remove_file(target, self.where)
        os.link(first, target, follow_symlinks=False)
        return True

    def _create_special_file(self, entry: FileEntry, target: Path) -> None:
        if stat.S_ISLNK(entry.mode):
            target.symlink_to(Path(entry.host_path).readlink())
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
) -> str:
    """Copy the selected and the inline files of a COPY.

    Return the digest of the selected files as they were copied; '' where one has changed meanwhile.
    Raises `CopyStepFailed`, `SourceUnreadable`.
    """
    target = target or CopyTarget(root, step, where, check)
    if len(selection) > 1 and not target.is_folder():
        raise CopyStepFailed(
            where, f"several files fit, so {step.target} must be a folder and end with a /"
        )
    digest = SelectionDigest(files) if files is not None and selection else None
    for selected in selection:
        assert files is not None
        target.copy_source(files, selected, step.exclude, digest)
    for text in step.texts:
        target.write_inline_file(text.name, text.content)
    return digest.text if digest is not None and target.is_unchanged else ""


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


def _is_context(entry: FileEntry, files: SourceFiles) -> bool:
    """Return whether an entry is the folder itself of a context, whose mode and times say nothing."""
    return not files.keep_owners and entry.host_path == str(files.root)


def _reversed_parts(path: str) -> list[str]:
    """Split a path into its parts, the last one first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]
