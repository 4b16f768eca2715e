"""List what a container has changed in its image: what is in its upper folder, beside the layers below.

The files of one that was created in a bundle are compared with those layers.
That is read inside the holder, where the owners of the files exist: `print_changes` starts a process there.
"""

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

from cntnr_compose.containers.bundle import stored_rootfs
from cntnr_compose.containers.rootfs.difference import list_hidden_names, walk_difference
from cntnr_compose.containers.rootfs.mount_points import list_mount_points
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import files, process
from cntnr_compose.host.namespaces import rootlesskit
from cntnr_compose.host.openat2 import Root
from cntnr_compose.images.layers import overlay_marks
from cntnr_compose.images.layers.complete import LowerLayers
from cntnr_compose.images.layers.unpack import stacked_folders
from cntnr_compose.images.layers.walk import FolderEntry, walk_folder
from cntnr_compose.model.observed import Record

CODE = "from cntnr_compose.containers.rootfs.changes import main; main()"
NOT_LISTED = 3  # exit code of the process that lists
ADDED, CHANGED, DELETED = "A", "C", "D"
Walk: TypeAlias = Callable[[Root], Iterator[FolderEntry]]


class ChangesUnreadable(CntnrError):
    """The changes of a container cannot be listed."""

    def __init__(self, name: str, why: str) -> None:
        self.why = why
        super().__init__(f"cannot list the changes of container {name}: {why}")


class Change(NamedTuple):
    """A file that was added, changed or deleted; its path is below the root."""

    kind: str
    path: str


class _Folder:
    """A folder of the upper one, above what is looked at; it is listed when something in it is."""

    def __init__(self, path: str, kind: str, *, has_lower: bool) -> None:
        self.path, self.kind, self.has_lower = path, kind, has_lower
        self.is_listed = False


def list_changes(
    upper: Root, lower: LowerLayers, mount_points: Collection[str], walk: Walk = walk_folder
) -> Iterator[Change]:
    """Yield the changes, folders before what is in them; ``walk`` lists what differs from the layers.

    What was created only to mount something on it is left out. A folder counts as changed where it has other
    attributes, or where something was added to it or deleted. Raises `OSError`.
    """
    created = set(mount_points)
    for path in mount_points:
        while path := path.rpartition("/")[0]:
            created.add(path)
    above: list[_Folder] = []
    for entry in walk(upper):
        while above and not entry.path.startswith(f"{above[-1].path}/"):
            above.pop()
        is_new_below = bool(above) and not above[-1].has_lower
        below = None if is_new_below else _find(lower, entry.path)
        change = _compare(entry, below, created, mount_points)
        folder = None
        if stat.S_ISDIR(entry.status.st_mode):
            kind = ADDED if below is None else CHANGED
            has_lower = below is not None and stat.S_ISDIR(below.st_mode)
            folder = _Folder(entry.path, kind, has_lower=has_lower)
            folder.is_listed = change is not None
        if change is not None:
            yield from _list_above(above, change.kind)
            yield change
        if folder is not None:
            above.append(folder)
            if folder.has_lower and _is_opaque(entry):
                for name in list_hidden_names(upper, lower, entry.path):
                    yield from _list_above(above, DELETED)
                    yield Change(DELETED, f"{entry.path}/{name}")


def _find(lower: LowerLayers, path: str) -> os.stat_result | None:
    with lower.find(path) as place:
        return place[2] if place else None


def _compare(
    entry: FolderEntry,
    below: os.stat_result | None,
    created: Collection[str],
    mount_points: Collection[str],
) -> Change | None:
    """Compare a file with the one that it covers; None where that is no change by itself."""
    status = entry.status
    if overlay_marks.is_whiteout(status):
        return Change(DELETED, entry.path) if below is not None else None
    if below is None:
        is_folder = stat.S_ISDIR(status.st_mode)
        is_empty_file = stat.S_ISREG(status.st_mode) and not status.st_size
        places = created if is_folder else mount_points
        is_for_mounts = (is_folder or is_empty_file) and entry.path in places
        return None if is_for_mounts else Change(ADDED, entry.path)
    if stat.S_ISDIR(status.st_mode) and _attributes(status) == _attributes(below):
        return None
    return Change(CHANGED, entry.path)


def _attributes(status: os.stat_result) -> tuple[int, ...]:
    return status.st_mode, status.st_uid, status.st_gid


def _list_above(above: list[_Folder], kind: str) -> Iterator[Change]:
    """Yield the folders above a change that become changes by it, and are not listed yet."""
    changes = []
    for folder in reversed(above):
        if folder.is_listed:
            break
        if folder.kind == CHANGED and kind not in (ADDED, DELETED):
            break
        folder.is_listed, kind = True, folder.kind
        changes.append(Change(folder.kind, folder.path))
    yield from reversed(changes)


def _is_opaque(entry: FolderEntry) -> bool:
    path = f"/proc/self/fd/{entry.folder}/{entry.name}"
    with contextlib.suppress(OSError):
        return bool(os.getxattr(path, overlay_marks.OPAQUE_XATTR, follow_symlinks=False))
    return False


@contextlib.contextmanager
def locate_changes(
    record: Record, check: Callable[[], None] = lambda: None
) -> Iterator[tuple[Path, Walk]]:
    """Yield the folder with what a container has changed, and how that is listed.

    Raises `ChangesUnreadable`, `OSError`.
    """
    if not record.bundle:
        yield paths.container(record.project, record.id) / "upper", walk_folder
        return
    if stored_rootfs.read_image_id(record) != record.image_id:
        why = f"the files of its bundle {record.bundle} are not those of its image any more"
        raise ChangesUnreadable(record.name, why)
    lower = LowerLayers(_stacked_folders(record))
    descriptor = stored_rootfs.open_rootfs(record)
    try:
        folder = Path(f"/proc/self/fd/{descriptor}")
        yield folder, lambda root: walk_difference(root, lower, check)
    finally:
        os.close(descriptor)


def _stacked_folders(record: Record) -> tuple[Path, ...]:
    folders = stacked_folders(record.image_id)
    if folders is None:
        raise ChangesUnreadable(record.name, f"the layers of its image {record.image} are gone")
    return folders


def list_container_changes(record: Record) -> Iterator[Change]:
    """Yield what a container has changed. Raises `ChangesUnreadable`, `OSError`."""
    lower = LowerLayers(_stacked_folders(record))
    with contextlib.ExitStack() as undo:
        folder, walk = undo.enter_context(locate_changes(record))
        try:
            root = undo.enter_context(Root(folder))
        except FileNotFoundError:  # it was never started
            return
        yield from list_changes(root, lower, list_mount_points(record), walk)


def has_changes(record: Record) -> bool:
    """Tell whether a container has changed a file of its image. Raises `ChangesUnreadable`, `OSError`."""
    return next(list_container_changes(record), None) is not None


def print_changes(record: Record) -> None:
    """Print the changes of a container, one a line. Raises `ChangesUnreadable`."""
    with rootlesskit.temporary_holder("diff") as running:
        argv = [sys.executable, "-P", "-c", CODE, record.project, record.id]
        env = {**os.environ, "PATH": process.search_path()}
        argv = running.nsenter_argv(argv)
        program = process.popen(argv, env=env, stderr=process.PIPE)
        try:
            _, err = program.communicate()
        finally:
            process.end(program, 1)
    if program.returncode == -13:  # nobody reads on
        raise BrokenPipeError
    if program.returncode:
        lines = err.decode(errors="replace").strip().splitlines() or ["the process was killed"]
        raise ChangesUnreadable(record.name, lines[-1])


def main() -> None:
    """Print the changes of the container whose project and id are the arguments."""
    import signal

    from cntnr_compose.containers.files.errors import make_printable

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    project, identity = sys.argv[1:]
    record = files.read_value(paths.container(project, identity) / "record.json", Record)
    try:
        if record is None:
            sys.exit("it was removed meanwhile")
        for change in list_container_changes(record):
            sys.stdout.write(f"{change.kind} /{make_printable(change.path)}\n")
        sys.stdout.flush()
    except (CntnrError, OSError) as error:
        sys.exit(make_printable(str(error)))
