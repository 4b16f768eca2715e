"""Copy between the host and a container as `docker cp` does: paths of the host and what becomes of them."""

import os
import posixpath
import stat
from pathlib import Path

from cntnr_compose.containers.files import rules
from cntnr_compose.containers.files.container_files import ContainerFiles
from cntnr_compose.containers.files.errors import (
    ArchiveNeedsFolder,
    NotAFolder,
    OutputMissing,
    PathEmpty,
    PlaceIsDevice,
    SourceMissing,
    explain,
    no_such_file,
)
from cntnr_compose.containers.files.reader import TreeReader
from cntnr_compose.containers.files.rules import Destination, Source, place
from cntnr_compose.containers.files.writer import TreeWriter
from cntnr_compose.host.openat2 import Root

STREAM = "-"  # as a path: standard input or output, as a tar archive


def copy_to_container(
    files: ContainerFiles, source: str, target: str, *, follow_link: bool, stdin: int = 0
) -> int:
    """Copy a file or tree of the host, or the archive at ``stdin``, into a container.

    Return how many files became root's because their owner does not exist in containers. Raises `CannotCopy`.
    """
    if source == STREAM:
        destination = _find_destination(files, target)
        if not destination.is_folder:
            raise ArchiveNeedsFolder(files.name, target)
        return files.extract(destination.path, stdin)
    path = rules.keep_ending(os.path.abspath(source), source)  # noqa: PTH100 - with its ending
    destination = _find_destination(files, target)
    origin = _find_source(path, follow_link=follow_link)
    placement = place(origin, destination)
    folder, name = rules.split_path(origin.path)
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        reader = TreeReader(map_owner=files.map_owner)
        entries = reader.read(descriptor, os.fsencode(name), os.fsencode(placement.name))
        return files.write(placement.folder, entries)
    finally:
        os.close(descriptor)


def _find_source(path: str, *, follow_link: bool) -> Source:
    """Find a path of the host; only where it is to be followed, its last part may lead elsewhere."""
    name = ""
    try:
        if follow_link:
            path, name = rules.name_after_link(path, os.path.realpath(path, strict=True))
        else:
            folder, base = posixpath.split(path)
            real = posixpath.join(os.path.realpath(folder, strict=True), base)
            if path.endswith("/") and _last_name(path) != _last_name(real):
                name = _last_name(path)
            path = real
        mode = os.lstat(path).st_mode
    except OSError as error:
        if isinstance(error, NotADirectoryError):
            raise NotAFolder(path.rstrip("/")) from error
        raise SourceMissing(path, error) from error
    return Source(path=path, is_folder=stat.S_ISDIR(mode), name=name)


def _last_name(path: str) -> str:
    return posixpath.basename(path.rstrip("/"))


def _find_destination(files: ContainerFiles, target: str) -> Destination:
    path, status = target, files.stat(target)
    if status is not None and stat.S_ISLNK(status.mode):
        path = rules.follow_link(target, os.fsdecode(status.target))
        status = files.stat(path)
    if status is None or not target:
        return Destination(path=path, exists=False)
    _check_kind(status.mode, f'destination "{files.name}:{target}"')
    return Destination(path=path, exists=True, is_folder=stat.S_ISDIR(status.mode))


def _check_kind(mode: int, place: str) -> None:
    if stat.S_ISBLK(mode) or stat.S_ISCHR(mode):
        raise PlaceIsDevice(place)


def copy_from_container(
    files: ContainerFiles, source: str, target: str, *, follow_link: bool, stdout: int = 1
) -> None:
    """Copy a file or tree of a container to the host, or as an archive to ``stdout``. Raises `CannotCopy`."""
    if not source:
        raise PathEmpty
    path = rules.keep_ending(os.path.abspath(target), target)  # noqa: PTH100 - with its ending
    if target != STREAM:
        _check_output(path, target)
    name = ""
    status = files.stat(source)
    if follow_link and status is not None and stat.S_ISLNK(status.mode):
        real = rules.follow_link(source, os.fsdecode(status.target))
        source, name = rules.name_after_link(source, real)
        status = files.stat(source)
    if status is None:
        raise no_such_file(source, files.name)
    origin = Source(path=source, is_folder=stat.S_ISDIR(status.mode), name=name)
    if target == STREAM:
        files.pack(source, stdout, name or rules.split_path(source)[1])
    else:
        _write_to_host(files, origin, path)


def _check_output(path: str, target: str) -> None:
    folder = posixpath.dirname(rules.clean_path(path))
    if not Path(folder).exists():
        raise OutputMissing(folder)
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - a Path has no slash at its end
    except FileNotFoundError:
        return
    except OSError as error:
        raise explain(error, f"stat {path}") from error
    _check_kind(mode, f'invalid output path: "{target}"')


def _write_to_host(files: ContainerFiles, source: Source, path: str) -> None:
    if Path(path).is_symlink():
        path = os.path.realpath(path)
    exists = os.path.lexists(path)
    destination = Destination(path=path, exists=exists, is_folder=Path(path).is_dir())
    placement = place(source, destination)
    top = os.fsencode(placement.name)
    try:
        root = Root(Path(placement.folder), follow_links=False)
    except OSError as error:
        raise explain(error, placement.folder) from error
    with root:
        writer = TreeWriter(root, sets_owner=False)
        try:
            for entry, content in files.read(source.path, top):
                writer.write(entry, content)
            writer.finish()
        finally:
            writer.close()
