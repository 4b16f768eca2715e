"""Open the root of a container: of a running one as it sees it, of a stopped one mounted for us alone."""

import os
import stat
from pathlib import Path

from cntnr_compose.containers.files.errors import HasEnded, ReadOnly
from cntnr_compose.containers.files.writer import open_folder
from cntnr_compose.core import paths
from cntnr_compose.host import mounts, proc
from cntnr_compose.host.namespaces.holder import NamespaceHolder
from cntnr_compose.host.openat2 import Root
from cntnr_compose.model.observed import Container, Record

KERNEL_FILE_SYSTEMS = frozenset({"proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue"})


class ContainerRoot:
    """The root of a container, and what has to be known of its mounts."""

    def __init__(self, root: Root, read_only_targets: tuple[str, ...] = ()) -> None:
        """Take the root, and the mount points that may not be written to although they could."""
        self.root = root
        self.device = _device(root, "/")
        # Their files are made up by the kernel: docker does not see them, and an archive could not hold them.
        self.kernel_devices: frozenset[int] = frozenset()
        self._read_only_targets = read_only_targets

    @property
    def skipped_devices(self) -> frozenset[int]:
        """Return the devices of mounts that are not copied along with a folder above them."""
        device = _device(self.root, "/dev")
        own = frozenset() if device in (self.device, 0) else frozenset({device})
        return self.kernel_devices | own

    def check_writable(self, folder: str, descriptor: int) -> None:
        """Raise `CannotCopy` in docker's words where nothing can be written to an open folder."""
        real = "/" + folder.strip("/")
        declared = (one for one in self._read_only_targets if f"{real}/".startswith(f"{one}/"))
        is_root = os.fstat(descriptor).st_dev == self.device
        if os.fstatvfs(descriptor).f_flag & os.ST_RDONLY or any(declared):
            raise ReadOnly(is_rootfs=is_root)


def _device(root: Root, path: str) -> int:
    try:
        descriptor = root.open(path)
    except OSError:
        return 0
    try:
        return os.fstat(descriptor).st_dev
    finally:
        os.close(descriptor)


def open_running_root(namespaces: NamespaceHolder, container: Container) -> ContainerRoot:
    """Open the root of a running container, from inside the holder's user namespace. Raises `CannotCopy`.

    Its mount namespace stays open as well: without it the mounts would come apart when the container ends.
    """
    status = container.status
    process = namespaces.proc_root_path(Path(f"/proc/{status.pid}"))
    try:
        os.open(process / "ns/mnt", os.O_RDONLY | os.O_CLOEXEC)  # for as long as this process lives
        root = ContainerRoot(Root(process / "root"))
        root.kernel_devices = _list_kernel_devices(process / "mountinfo")
        born = proc.parse_stat(status.pid, (process / "stat").read_bytes()).start
    except OSError as error:
        raise HasEnded(container.name) from error
    if born != status.born:
        raise HasEnded(container.name)
    return root


def _list_kernel_devices(mountinfo: Path) -> frozenset[int]:
    devices = set()
    for line in mountinfo.read_text(errors="replace").splitlines():
        kind = line.partition(" - ")[2].split(" ")[0]
        if kind in KERNEL_FILE_SYSTEMS:
            major, _, minor = line.split(" ", 3)[2].partition(":")
            devices.add(os.makedev(int(major), int(minor)))
    return frozenset(devices)


def mount_stopped_root(record: Record, *, rootfs_only: bool = False) -> ContainerRoot:
    """Mount the root of a stopped container with its volumes and binds, in this mount namespace.

    As in docker, what it has in memory when it runs is not there. Only in a mount namespace of our own,
    inside the holder. Raises what mounting a container's files raises.
    """
    import asyncio

    from cntnr_compose.containers.bundle.bundle import mount_rootfs

    scratch = paths.holder_locks()  # a folder that is there; only we see what is mounted on it
    mounts.mount_tmpfs(scratch)
    rootfs = scratch / "rootfs"
    rootfs.mkdir()
    asyncio.run(mount_rootfs(record, rootfs))
    read_only = () if rootfs_only else asyncio.run(_mount_volumes(record, scratch))
    if record.definition.read_only:
        read_only = ("", *read_only)
    return ContainerRoot(Root(rootfs), read_only)


async def _mount_volumes(record: Record, scratch: Path) -> tuple[str, ...]:
    from cntnr_compose.containers.bundle.mount_sources import resolve_mount

    read_only = []
    for point in sorted(record.mounts, key=lambda one: one.target.count("/")):
        if point.type == "tmpfs":
            continue
        resolved = await resolve_mount(record, scratch, point)
        with Root(scratch / "rootfs") as root:
            target = _open_mount_point(root, point.target, Path(resolved.source))
            try:
                mounts.bind_mount(
                    Path(resolved.source), Path(f"/proc/self/fd/{target}"), recursive=True
                )
            finally:
                os.close(target)
        if resolved.read_only or point.type == "image":
            read_only.append("/" + point.target.strip("/"))
    return tuple(read_only)


def _open_mount_point(root: Root, target: str, source: Path) -> int:
    """Open the folder or file that a source is mounted on; create it as runc does."""
    if stat.S_ISDIR(source.stat().st_mode):
        return open_folder(root, os.fsencode(target.strip("/")), create=True)
    try:
        return root.open(target)
    except FileNotFoundError:
        folder, _, name = target.rstrip("/").rpartition("/")
        parent = open_folder(root, os.fsencode(folder.strip("/")), create=True)
        try:
            flags = os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            os.close(os.open(name, flags, 0o644, dir_fd=parent))
        finally:
            os.close(parent)
        return root.open(target)
