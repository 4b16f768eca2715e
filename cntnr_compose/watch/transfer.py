"""Copy changed files into a running container, and remove there what is gone here."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence

from cntnr_compose.containers.files.container_files import ContainerFiles
from cntnr_compose.containers.files.entry import TreeEntry
from cntnr_compose.containers.files.errors import CannotCopy
from cntnr_compose.core import paths
from cntnr_compose.core.values import Tree
from cntnr_compose.host import files
from cntnr_compose.host.namespaces.holder import find_holder, proc_root_path
from cntnr_compose.model.observed import Container
from cntnr_compose.watch.rules import Sync

READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class FileTransfer:
    """One batch of files on its way into one container; they belong to the container's user there."""

    def __init__(self, container: Container, syncs: Sequence[Sync]) -> None:
        self._container = container
        self._syncs = syncs
        self._owner = _read_user(container)
        self.unreadable: dict[str, str] = {}  # path and reason

    def run(self) -> None:
        """Copy and remove the files. Raises `CannotCopy`."""
        namespaces = find_holder()
        if namespaces is None:
            return
        with ContainerFiles(namespaces, self._container) as target:
            try:
                target.write("/", self._entries(self._in_the_way(target, everything=False)))
            except CannotCopy:
                # A folder may stand where a file is to be: that is looked up for each only where it matters.
                obstacles = self._in_the_way(target, everything=True)
                if not obstacles:
                    raise
                target.write("/", self._entries(obstacles))

    def _in_the_way(self, target: ContainerFiles, *, everything: bool) -> dict[str, bool]:
        """Return the paths in the container that are of another kind than here; True where it is a link.

        Only folders are looked up, unless ``everything`` is: there are few of them.
        """
        obstacles = {}
        for sync in self._syncs:
            is_folder = os.path.isdir(sync.source) and not os.path.islink(sync.source)  # noqa: PTH112, PTH114
            if not is_folder and not everything:
                continue
            status = target.stat(sync.target)
            if status is None or stat.S_ISDIR(status.mode) == is_folder:
                continue
            obstacles[sync.target] = is_folder and stat.S_ISLNK(status.mode)
        return obstacles

    def _entries(self, obstacles: dict[str, bool]) -> Iterator[tuple[TreeEntry, int | None]]:
        """Yield what is to be removed, then what is to be written: folders before what is in them."""
        for sync in self._syncs:
            is_obstacle = sync.target in obstacles and not obstacles[sync.target]
            if sync.target != "/" and (is_obstacle or not os.path.lexists(sync.source)):
                yield TreeEntry(path=_relative(sync.target)), None
        for sync in self._syncs:
            # What a folder of the container links to is left as it is, and written to.
            if sync.target != "/" and not obstacles.get(sync.target):
                yield from self._open(sync)

    def _open(self, sync: Sync) -> Iterator[tuple[TreeEntry, int | None]]:
        """Yield the entry of a path with its open file; nothing where it has gone or cannot be read."""
        try:
            status = os.lstat(sync.source)
            if stat.S_ISREG(status.st_mode):
                descriptor = os.open(sync.source, READ_FLAGS)
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    os.close(descriptor)  # replaced just now, which is another change
                    return
                yield self._describe(sync, status), descriptor
            elif stat.S_ISLNK(status.st_mode):
                yield self._describe(sync, status, os.readlink(os.fsencode(sync.source))), None  # noqa: PTH115
            elif stat.S_ISDIR(status.st_mode):
                yield self._describe(sync, status), None
        except FileNotFoundError:
            return
        except OSError as error:
            self.unreadable[sync.source] = error.strerror or str(error)

    def _describe(self, sync: Sync, status: os.stat_result, target: bytes = b"") -> TreeEntry:
        uid, gid = self._owner
        return TreeEntry(
            path=_relative(sync.target),
            mode=status.st_mode,
            uid=uid,
            gid=gid,
            mtime=status.st_mtime_ns,
            size=status.st_size,
            target=target,
        )


def _relative(path: str) -> bytes:
    return os.fsencode(path.lstrip("/"))


def _read_user(container: Container) -> tuple[int, int]:
    """Return the ids of the user that a container's process runs as."""
    path = proc_root_path(paths.bundle(container.record.id) / "config.json")
    spec = files.read_value(path, Tree) if path else None
    user = spec["process"]["user"] if spec else {}
    return int(user.get("uid", 0)), int(user.get("gid", 0))


def copy_files(containers: Iterable[Container], syncs: Sequence[Sync]) -> dict[str, str]:
    """Copy files into containers; return the paths that could not be read, and why. Raises `CannotCopy`."""
    unreadable: dict[str, str] = {}
    for container in containers:
        transfer = FileTransfer(container, syncs)
        transfer.run()
        unreadable |= transfer.unreadable
    return unreadable
