"""Complete a layer by what the layers below it have: attributes of folders, targets of hard links."""

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from cntnr_compose.host.namespaces import owners
from cntnr_compose.host.openat2 import Root
from cntnr_compose.images.layers import overlay_marks
from cntnr_compose.images.layers.archive.decompress import StreamDamaged
from cntnr_compose.images.layers.extract import LayerExtraction
from cntnr_compose.images.layers.folders import OPEN_FOLDER, split_name

COPY_SIZE = 1 << 30
FIND_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class LowerLayers:
    """The layers below one, top first, as overlay shows them."""

    def __init__(self, layers: Sequence[Path]) -> None:
        self._layers = layers

    @contextlib.contextmanager
    def open_folders(self, path: str) -> Iterator[list[int]]:
        """Open what a folder consists of, top first; nothing where there is no such folder."""
        # The folder of a layer itself may be a link, to that of an additional store.
        folders = [os.open(layer, FIND_FOLDER & ~os.O_NOFOLLOW) for layer in self._layers]
        try:
            for name in path.split("/") if path else ():
                above, folders = folders, []
                try:
                    folders = _open_merged(above, name)
                finally:
                    _close_all(above)
            yield folders
        finally:
            _close_all(folders)

    @contextlib.contextmanager
    def find(self, path: str) -> Iterator[tuple[int, str, os.stat_result] | None]:
        """Find a file: its open folder, name and status; None where there is none. No link is followed."""
        folder, name = split_name(path)
        with self.open_folders(folder) as folders:
            yield find_in_folders(folders, name)


def find_in_folders(folders: Sequence[int], name: str) -> tuple[int, str, os.stat_result] | None:
    """Find a file in a folder that consists of several, top first; None where there is none."""
    for folder in folders:
        with contextlib.suppress(FileNotFoundError):
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            return None if overlay_marks.is_whiteout(status) else (folder, name, status)
    return None


def _open_merged(above: Sequence[int], name: str) -> list[int]:
    """Open the folders of a name up to what hides those below."""
    folders: list[int] = []
    for folder in above:
        try:
            folders.append(os.open(name, FIND_FOLDER, dir_fd=folder))
        except FileNotFoundError:
            continue
        except OSError:  # a whiteout, a file, or a link
            break
        if overlay_marks.is_opaque(folders[-1]):
            break
    return folders


def _close_all(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def complete_layer(extraction: LayerExtraction, folder: Path, lower: Sequence[Path]) -> None:
    """Do what is left to do once the layers below, top first, are complete.

    Raises `OSError`, `StreamDamaged`.
    """
    below = LowerLayers(lower)
    with Root(folder, follow_links=False) as root:
        _copy_folder_attributes(extraction, root, below)
        for path, target in extraction.links_below.items():
            _copy_linked_file(root, below, path, target)
        _remove_idle_whiteouts(extraction.whiteouts, root, below)
        for path, mtime_ns in extraction.folder_times.items():
            with _open_again(root, path) as descriptor:
                if descriptor is not None:
                    os.utime(descriptor, ns=(mtime_ns, mtime_ns))


@contextlib.contextmanager
def _open_again(root: Root, path: str) -> Iterator[int | None]:
    """Open a folder that an entry was for; None where a later one has replaced it."""
    try:
        descriptor = root.open(path, OPEN_FOLDER)
    except OSError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _copy_folder_attributes(extraction: LayerExtraction, root: Root, below: LowerLayers) -> None:
    """Give folders that no entry was for what they have in the layers below."""
    implied = list(extraction.folders.implied) + ([] if extraction.has_root else [""])
    for path in implied:
        with below.open_folders(path) as sources, _open_again(root, path) as descriptor:
            if descriptor is None:
                continue
            if not sources:
                os.fchmod(descriptor, 0o755)
                continue
            status = os.fstat(sources[0])
            _copy_attributes(f"/proc/self/fd/{sources[0]}", status, descriptor)
            extraction.folder_times[path] = status.st_mtime_ns


def _copy_attributes(source: str, status: os.stat_result, descriptor: int) -> None:
    owner = owners.read_owner(source, status.st_uid, status.st_gid, follow=True)
    owners.change_owner(descriptor, *owner)
    with contextlib.suppress(OSError):  # not every file system has them
        for name in os.listxattr(source):
            if overlay_marks.is_kept(name):
                os.setxattr(descriptor, name, os.getxattr(source, name))
    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))


def _copy_linked_file(root: Root, below: LowerLayers, path: str, target: str) -> None:
    """Copy a file of the layers below to where a hard link to it is to be, as overlay does."""
    folder_path, name = split_name(path)
    with _open_again(root, folder_path) as folder:
        if folder is None:
            return
        with below.find(target) as source:
            if source is not None:
                _copy_file(source, folder, name)
                return
        # The target is a link of this kind as well, which has been copied just now.
        target_folder, target_name = split_name(target)
        with _open_again(root, target_folder) as own:
            if own is not None:
                with contextlib.suppress(FileNotFoundError):
                    os.link(
                        target_name, name, src_dir_fd=own, dst_dir_fd=folder, follow_symlinks=False
                    )
                    return
    raise StreamDamaged(why=f"{path} is a hard link to {target}, which does not exist")


def _copy_file(source: tuple[int, str, os.stat_result], folder: int, name: str) -> None:
    source_folder, source_name, status = source
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(source_name, dir_fd=source_folder), name, dir_fd=folder)
        os.chown(name, status.st_uid, status.st_gid, dir_fd=folder, follow_symlinks=False)
        return
    if not stat.S_ISREG(status.st_mode):
        raise StreamDamaged(why=f"{name} is a hard link to something that is no file")
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    reader = os.open(source_name, flags, dir_fd=source_folder)
    try:
        writer = os.open(
            name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder
        )
        try:
            while os.sendfile(writer, reader, None, COPY_SIZE):
                pass
            _copy_attributes(f"/proc/self/fd/{reader}", status, writer)
            os.utime(writer, ns=(status.st_mtime_ns, status.st_mtime_ns))
        finally:
            os.close(writer)
    finally:
        os.close(reader)


def _remove_idle_whiteouts(whiteouts: Sequence[str], root: Root, below: LowerLayers) -> None:
    """Remove whiteouts that hide nothing: where nothing is merged, overlay lists their names."""
    by_folder: dict[str, list[str]] = {}
    for path in whiteouts:
        folder_path, name = split_name(path)
        by_folder.setdefault(folder_path, []).append(name)
    for path, names in by_folder.items():
        with below.open_folders(path) as folders, _open_again(root, path) as folder:
            if folder is None:
                continue
            hidden = [] if overlay_marks.is_opaque(folder) else folders
            for name in names:
                if find_in_folders(hidden, name) is None:
                    _remove_whiteout(name, folder)


def _remove_whiteout(name: str, folder: int) -> None:
    with contextlib.suppress(FileNotFoundError):  # a later entry has replaced it
        if overlay_marks.is_whiteout(os.stat(name, dir_fd=folder, follow_symlinks=False)):
            os.unlink(name, dir_fd=folder)
