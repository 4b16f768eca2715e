"""Export the files of a stage: into a folder of this machine, or as a tar archive."""

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

from cntnr_compose.builder.request import BuildRequest, FileExport
from cntnr_compose.builder.walker import StageState
from cntnr_compose.builder.worker.step_executor import WorkerState
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import WarningEvent
from cntnr_compose.host import files
from cntnr_compose.host.openat2 import Root
from cntnr_compose.images.layers.pack import write_archive
from cntnr_compose.images.layers.walk import FolderEntry, open_entry, walk_folder

CHUNK = 1 << 20
# The files belong to the user now: whoever could run one with these bits would act as the user.
DROPPED_BITS = stat.S_ISUID | stat.S_ISGID


class ExportFailed(CntnrError):
    """The files of a build cannot be written where they are to be."""

    def __init__(self, service: str, error: OSError) -> None:
        where = f": {error.filename}" if error.filename else ""
        super().__init__(f"cannot write the files of {service}: {error.strerror or error}{where}")


def export_files(
    state: StageState, export: FileExport, request: BuildRequest, worker: WorkerState
) -> None:
    """Write the files of a stage. Raises `ExportFailed`."""
    check = worker.raise_if_cancelled
    with worker.rootfs.mount_for_reading(state) as path, Root(path) as root:
        try:
            if export.type == "tar":
                with open(export.descriptor, "wb", closefd=False) as out:
                    write_archive(root, out, mtime=request.epoch, check=check)
                return
            with Root(Path(f"/proc/self/fd/{export.descriptor}"), follow_links=False) as target:
                skipped = export_folder(root, target, mtime=request.epoch, check=check)
        except OSError as error:
            raise ExportFailed(request.service, error) from error
    if skipped:
        some = ", ".join(skipped[:3]) + (", …" if len(skipped) > 3 else "")
        text = f"{request.service}: devices and sockets are not written to folders: {some}"
        worker.emit(WarningEvent(text=text))


def export_folder(
    root: Root, target: Root, *, mtime: int | None = None, check: Callable[[], None] = lambda: None
) -> list[str]:
    """Copy a tree into a folder, over what is there; return the devices and sockets, which are left out.

    All belongs to whoever copies. What is in the way, such as a link, is replaced, never followed. Raises
    `OSError`.
    """
    writer = _FolderWriter(target, mtime)
    for entry in walk_folder(root):
        check()
        writer.write(entry)
    writer.finish()
    return writer.skipped


class _FolderWriter:
    """Write the entries of a tree into a folder; each parent comes before what is in it."""

    def __init__(self, target: Root, mtime: int | None) -> None:
        self._target, self._mtime = target, mtime
        self._links: dict[int, str] = {}  # the names of files with several, by inode
        self._folders: list[tuple[str, os.stat_result]] = []  # whose times are set at the end
        self._path, self._parent = "", target.open("", os.O_RDONLY | os.O_DIRECTORY)
        self.skipped: list[str] = []

    def write(self, entry: FolderEntry) -> None:
        """Write one entry."""
        kind = stat.S_IFMT(entry.status.st_mode)
        if kind not in (stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK, stat.S_IFIFO):
            self.skipped.append(f"/{entry.path}")
            return
        folder, _, name = entry.path.rpartition("/")
        parent = self._open_parent(folder)
        if kind == stat.S_IFDIR:
            self._write_folder(entry, parent, name)
            return
        _remove(parent, name)
        if kind == stat.S_IFLNK:
            os.symlink(os.readlink(entry.name, dir_fd=entry.folder), name, dir_fd=parent)
        elif kind == stat.S_IFIFO:
            os.mkfifo(name, stat.S_IMODE(entry.status.st_mode) & ~DROPPED_BITS, dir_fd=parent)
        elif not self._write_link(entry, parent, name):
            _write_file(entry, parent, name)
        self._set_times(entry.status, parent, name)

    def finish(self) -> None:
        """Set modes and times of the folders, which the files in them have changed."""
        for path, status in reversed(self._folders):
            folder = self._target.open(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fchmod(folder, stat.S_IMODE(status.st_mode) & ~DROPPED_BITS)
                moment = self._time(status)
                os.utime(folder, ns=(moment, moment))
            finally:
                os.close(folder)
        os.close(self._parent)

    def _open_parent(self, folder: str) -> int:
        """Open the folder of an entry; one is open at a time. Raises `OSError` for a link in the path."""
        if folder != self._path:
            opened = self._target.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            os.close(self._parent)
            self._path, self._parent = folder, opened
        return self._parent

    def _write_folder(self, entry: FolderEntry, parent: int, name: str) -> None:
        try:
            is_there = stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
        except FileNotFoundError:
            is_there = False
        if not is_there:
            _remove(parent, name)
            os.mkdir(name, 0o700, dir_fd=parent)
        self._folders.append((entry.path, entry.status))

    def _write_link(self, entry: FolderEntry, parent: int, name: str) -> bool:
        """Link to another name of the same file; return whether there is one."""
        if entry.status.st_nlink < 2:
            return False
        first = self._links.setdefault(entry.status.st_ino, entry.path)
        if first == entry.path:
            return False
        folder, _, first_name = first.rpartition("/")
        descriptor = self._target.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.link(
                first_name, name, src_dir_fd=descriptor, dst_dir_fd=parent, follow_symlinks=False
            )
        finally:
            os.close(descriptor)
        return True

    def _time(self, status: os.stat_result) -> int:
        return status.st_mtime_ns if self._mtime is None else self._mtime * 10**9

    def _set_times(self, status: os.stat_result, parent: int, name: str) -> None:
        moment = self._time(status)
        os.utime(name, ns=(moment, moment), dir_fd=parent, follow_symlinks=False)


def _write_file(entry: FolderEntry, parent: int, name: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o600, dir_fd=parent)
    with os.fdopen(descriptor, "wb", buffering=0) as out, open_entry(entry) as content:
        shutil.copyfileobj(content, out, CHUNK)
        os.fchmod(descriptor, stat.S_IMODE(entry.status.st_mode) & ~DROPPED_BITS)


def _remove(parent: int, name: str) -> None:
    """Remove what is in the way; a folder only where it is not a mount point."""
    try:
        os.unlink(name, dir_fd=parent)
    except FileNotFoundError:
        return
    except IsADirectoryError:
        files.remove_tree(Path(f"/proc/self/fd/{parent}/{name}"))
