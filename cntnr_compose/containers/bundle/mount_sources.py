"""Resolve the source of each mount of a container: bind, volume, tmpfs, image."""

import asyncio
import os
import stat
from pathlib import Path
from posixpath import normpath

from cntnr_compose.containers.spec.inputs import ResolvedMount
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import replace
from cntnr_compose.host import files, mounts
from cntnr_compose.host.namespaces import holder
from cntnr_compose.host.openat2 import Root
from cntnr_compose.images import leases
from cntnr_compose.images.layers import unpack
from cntnr_compose.images.storage.model import MountedImages
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.host import DOCKER_SOCKETS
from cntnr_compose.model.observed import MountPoint, Record
from cntnr_compose.model.service import Mount
from cntnr_compose.volumes import fill, relabel, store


class ImageGone(CntnrError):
    """The image of a container does not exist any more."""

    def __init__(self, container: str, image: str) -> None:
        super().__init__(f"cannot start container {container}: its image {image} is gone")
        self.hint = "run `cntnr compose up` to get the image again"


class BindSourceMissing(CntnrError):
    """The source of a bind mount does not exist, and is not to be created as a folder."""

    def __init__(self, service: str, source: str, why: str) -> None:
        super().__init__(f"cannot mount {source} in service {service}: {why}")
        self.hint = (
            "make it, or correct the path; a folder is made only where the name looks like one"
        )


def is_absent_docker_socket(point: MountPoint) -> bool:
    """Check whether a mount is that of docker's socket where no daemon has made it: it is left out."""
    if point.type != "bind" or point.source not in DOCKER_SOCKETS:
        return False
    return not holder.host_path(Path(point.source)).exists()


async def resolve_mount(record: Record, bundle: Path, point: MountPoint) -> ResolvedMount:
    """Resolve one of a container's mounts; create its source, or fill the volume, where that is due.

    Raises `BindSourceMissing`, `ImageGone`, `SubpathMissing`, `TargetUnreachable`, `VolumeMissing`.
    """
    declared = (one for one in record.definition.volumes if one.target == point.target)
    mount = next(declared, None) or Mount(type=point.type, target=point.target)
    base = ResolvedMount(target=point.target, type=point.type, read_only=point.read_only)
    match point.type:
        case "tmpfs":
            return replace(base, size=mount.tmpfs.size, mode=mount.tmpfs.mode)
        case "bind":
            return _resolve_bind(record, bundle, base, mount, point)
        case "image":
            source = await _mount_image(record, bundle, point)
            path = _mount_subpath(
                source, mount.image.subpath, _numbered_path(record, bundle, "parts", point)
            )
            return replace(base, source=str(path))
        case _:
            return _resolve_volume(record, bundle, base, mount, point)


def _resolve_bind(
    record: Record, bundle: Path, base: ResolvedMount, mount: Mount, point: MountPoint
) -> ResolvedMount:
    return bind(base, mount, _ensure_bind_source(record, mount, point, bundle / "rootfs"))


def bind(base: ResolvedMount, mount: Mount, source: Path) -> ResolvedMount:
    """Return a resolved mount of a folder or file of the host that exists."""
    return replace(
        base,
        source=str(source),
        propagation=mount.bind.propagation,
        recursive=mount.bind.recursive,
        selinux=mount.bind.selinux,
        flags=mounts.locked_mount_flags(source),
    )


async def relabel_mount(mount: ResolvedMount, container: str) -> ResolvedMount:
    """Give what is mounted the label of SELinux that is asked for; note why where that fails."""
    if not mount.selinux or not relabel.is_enabled():
        return mount
    why = await asyncio.to_thread(relabel.relabel, mount.source, mount.selinux, container)
    return replace(mount, not_relabelled=why)


def _resolve_volume(
    record: Record, bundle: Path, base: ResolvedMount, mount: Mount, point: MountPoint
) -> ResolvedMount:
    subpath = mount.volume.subpath
    if not mount.volume.nocopy and not subpath:
        image_folder = _find_in_image(record, bundle, point.target)
        if image_folder is not None:
            fill.fill_from_image(point.source, image_folder)
    volume = store.mount_volume(point.source)
    source = _mount_subpath(volume, subpath, _numbered_path(record, bundle, "parts", point))
    return replace(
        base,
        type="volume",
        source=str(source),
        read_only=base.read_only or store.is_read_only(point.source),
        flags=mounts.locked_mount_flags(source),
    )


class TargetUnreachable(CntnrError):
    """The target of a mount cannot be followed in the image."""

    def __init__(self, service: str, target: str, why: str) -> None:
        super().__init__(
            f"cannot mount {target} in service {service}: the way there in its image cannot be "
            f"followed: {why}"
        )


def _find_in_image(record: Record, bundle: Path, target: str) -> Path | None:
    try:
        with Root(bundle / "rootfs") as root:
            return root.find(target)
    except OSError as error:
        raise TargetUnreachable(record.service, target, error.strerror or str(error)) from error


async def _mount_image(record: Record, bundle: Path, point: MountPoint) -> Path:
    images = ImageStore(for_containers=True)
    with leases.hold_off(images.root):
        image = images.find(point.source)
        if image is None:
            raise ImageGone(record.name, point.source)
        _note_mounted_image(record, image.id)
    lower = await unpack.ensure_unpacked(image)
    if len(lower) == 1:
        return lower[0]
    target = _numbered_path(record, bundle, "images", point)
    target.mkdir(parents=True)
    mounts.mount_read_only_overlay(lower, target)
    return target


def _note_mounted_image(record: Record, image_id: str) -> None:
    """Note which image is mounted: its name may go to another one while the container runs."""
    path = paths.container(record.project, record.id) / "images.json"
    noted = files.read_value(path, MountedImages) or MountedImages()
    if image_id not in noted.ids:
        files.write_value(path, MountedImages(ids=(*noted.ids, image_id)))


def _numbered_path(record: Record, bundle: Path, kind: str, point: MountPoint) -> Path:
    """Return the path in the bundle where the source of one of the mounts goes."""
    return bundle / kind / str(record.mounts.index(point))


class SubpathMissing(CntnrError):
    """A subpath does not exist in a volume or an image."""

    def __init__(self, subpath: str, why: str = "it does not exist in the volume") -> None:
        super().__init__(f"cannot mount subpath {subpath}: {why}")


def open_subpath(root_folder: Path, subpath: str) -> int:
    """Open a path below a root; neither the path nor a link in it leads out of the root.

    Raises `SubpathMissing`.
    """
    if normpath(subpath).startswith(("/", "..")):
        raise SubpathMissing(subpath)
    try:
        with Root(root_folder) as root:
            return root.open(subpath)
    except (FileNotFoundError, NotADirectoryError):
        raise SubpathMissing(subpath) from None
    except OSError as error:
        raise SubpathMissing(subpath, error.strerror or str(error)) from error


def _mount_subpath(folder: Path, subpath: str, target: Path) -> Path:
    """Return the folder of a volume or image, or mount its subpath in the bundle and return that path.

    Other containers may have the volume, too, and replace a part of the path by a link after it was
    followed. So what was opened is mounted in the bundle, and runc gets that path.
    """
    if not subpath:
        return folder
    descriptor = open_subpath(folder, subpath)
    try:
        mounts.bind_mount_descriptor(descriptor, target)
    finally:
        os.close(descriptor)
    return target


def _ensure_bind_source(record: Record, mount: Mount, point: MountPoint, rootfs: Path) -> Path:
    source, service = holder.host_path(Path(point.source)), record.service
    try:
        source.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        why = f"it cannot be reached: {error.strerror}"
        raise BindSourceMissing(service, point.source, why) from error
    else:
        return source
    if not mount.bind.create_host_path:
        raise BindSourceMissing(service, point.source, "it does not exist")
    mode = _image_mode(rootfs, point.target)
    if stat.S_ISREG(mode) or (source.suffix and not stat.S_ISDIR(mode)):
        raise BindSourceMissing(service, point.source, "it does not exist, and looks like a file")
    try:
        source.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BindSourceMissing(
            service, point.source, f"it cannot be made: {error.strerror}"
        ) from error
    return source


def _image_mode(rootfs: Path, path: str) -> int:
    """Return the mode of a path in the image; 0 if it does not exist."""
    try:
        with Root(rootfs) as root:
            descriptor = root.open(path)
    except OSError:
        return 0
    try:
        return os.fstat(descriptor).st_mode
    finally:
        os.close(descriptor)
