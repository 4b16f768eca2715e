"""The mounts that a service asks for: where on the machine each of them comes from."""

import os
import stat
from pathlib import Path
from posixpath import normpath

from cntnr_compose.containers.spec.inputs import ResolvedMount
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import replace
from cntnr_compose.host import mounts
from cntnr_compose.host.namespaces import holder
from cntnr_compose.host.openat2 import Root
from cntnr_compose.images import unpack
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.observed import MountPoint, Record
from cntnr_compose.model.service import Mount
from cntnr_compose.volumes import fill
from cntnr_compose.volumes import store as volumes


class ImageGone(CntnrError):
    """The image that a container was made from is not there any more."""

    def __init__(self, container: str, image: str) -> None:
        super().__init__(f"cannot start container {container}: its image {image} is gone")
        self.hint = "run `cntnr compose up` to get the image again"


class BindSourceMissing(CntnrError):
    """A bind mount's source is not there, and nobody wants a folder of its name."""

    def __init__(self, service: str, source: str, why: str) -> None:
        super().__init__(f"cannot mount {source} in service {service}: {why}")
        self.hint = (
            "make it, or correct the path; a folder is made only where the name looks like one"
        )


async def resolve_mount(record: Record, place: Path, point: MountPoint) -> ResolvedMount:
    """Find what one of a container's mounts mounts, made or filled where that is due.

    Raises `BindSourceMissing`, `ImageGone`, `SubpathMissing`, `TargetUnreachable`, `VolumeMissing`.
    """
    wanted = next((m for m in record.definition.volumes if m.target == point.target), None)
    wanted = wanted or Mount(type=point.type, target=point.target)
    base = ResolvedMount(target=point.target, type=point.type, read_only=point.read_only)
    match point.type:
        case "tmpfs":
            return replace(base, size=wanted.tmpfs.size, mode=wanted.tmpfs.mode)
        case "bind":
            return _resolve_bind(record, place, base, wanted, point)
        case "image":
            source = await _mount_image(record, place, point)
            part = _mount_subpath(
                source, wanted.image.subpath, _numbered_path(record, place, "parts", point)
            )
            return replace(base, source=str(part))
        case _:
            return _resolve_volume(record, place, base, wanted, point)


def _resolve_bind(
    record: Record, place: Path, base: ResolvedMount, wanted: Mount, point: MountPoint
) -> ResolvedMount:
    source = _ensure_bind_source(record, wanted, point, place / "rootfs")
    return replace(
        base,
        source=str(source),
        propagation=wanted.bind.propagation,
        recursive=wanted.bind.recursive,
        selinux=wanted.bind.selinux,
        flags=mounts.locked_mount_flags(source),
    )


def _resolve_volume(
    record: Record, place: Path, base: ResolvedMount, wanted: Mount, point: MountPoint
) -> ResolvedMount:
    subpath = wanted.volume.subpath
    if not wanted.volume.nocopy and not subpath:
        image_folder = _find_in_image(record, place, point.target)
        if image_folder is not None:
            fill.fill_from_image(point.source, image_folder)
    whole = volumes.mount_volume(point.source)
    source = _mount_subpath(whole, subpath, _numbered_path(record, place, "parts", point))
    return replace(
        base,
        type="volume",
        source=str(source),
        read_only=base.read_only or volumes.is_read_only(point.source),
        flags=mounts.locked_mount_flags(source),
    )


class TargetUnreachable(CntnrError):
    """The place of a mount cannot be followed in the image."""

    def __init__(self, service: str, target: str, why: str) -> None:
        super().__init__(
            f"cannot mount {target} in service {service}: the way there in its image cannot be "
            f"followed: {why}"
        )


def _find_in_image(record: Record, place: Path, target: str) -> Path | None:
    try:
        with Root(place / "rootfs") as root:
            return root.find(target)
    except OSError as error:
        raise TargetUnreachable(record.service, target, error.strerror or str(error)) from error


async def _mount_image(record: Record, place: Path, point: MountPoint) -> Path:
    image = ImageStore().find(point.source)
    if image is None:
        raise ImageGone(record.name, point.source)
    lower = await unpack.ensure_unpacked(image)
    if len(lower) == 1:
        return lower[0]
    target = _numbered_path(record, place, "images", point)
    target.mkdir(parents=True)
    mounts.mount_read_only_overlay(lower, target)
    return target


def _numbered_path(record: Record, place: Path, kind: str, point: MountPoint) -> Path:
    """Give a place in the bundle for what one of the mounts needs."""
    return place / kind / str(record.mounts.index(point))


class SubpathMissing(CntnrError):
    """A path in a volume or an image is not there."""

    def __init__(self, subpath: str, why: str = "it does not exist in the volume") -> None:
        super().__init__(f"cannot mount subpath {subpath}: {why}")


def open_subpath(whole: Path, subpath: str) -> int:
    """Open what lies below a root, where neither a path nor a link in it leads out of it.

    Raises `SubpathMissing`.
    """
    if normpath(subpath).startswith(("/", "..")):
        raise SubpathMissing(subpath)
    try:
        with Root(whole) as root:
            return root.open(subpath)
    except (FileNotFoundError, NotADirectoryError):
        raise SubpathMissing(subpath) from None
    except OSError as error:
        raise SubpathMissing(subpath, error.strerror or str(error)) from error


def _mount_subpath(whole: Path, subpath: str, target: Path) -> Path:
    """Give what is mounted of a volume or an image.

    Others may have the volume too, and put a link in the way once the path was followed: so what was
    found then is mounted in the bundle, and runc told of that place.
    """
    if not subpath:
        return whole
    found = open_subpath(whole, subpath)
    try:
        mounts.bind_mount_descriptor(found, target)
    finally:
        os.close(found)
    return target


def _ensure_bind_source(record: Record, wanted: Mount, point: MountPoint, rootfs: Path) -> Path:
    source, name = holder.host_path(Path(point.source)), record.service
    try:
        source.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        why = f"it cannot be reached: {error.strerror}"
        raise BindSourceMissing(name, point.source, why) from error
    else:
        return source
    if not wanted.bind.create_host_path:
        raise BindSourceMissing(name, point.source, "it does not exist")
    mode = _image_mode(rootfs, point.target)
    if stat.S_ISREG(mode) or (source.suffix and not stat.S_ISDIR(mode)):
        raise BindSourceMissing(name, point.source, "it does not exist, and looks like a file")
    try:
        source.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BindSourceMissing(
            name, point.source, f"it cannot be made: {error.strerror}"
        ) from error
    return source


def _image_mode(rootfs: Path, path: str) -> int:
    """Tell what the image has at a path; 0 where that is nothing."""
    try:
        with Root(rootfs) as root:
            found = root.open(path)
    except OSError:
        return 0
    try:
        return os.fstat(found).st_mode
    finally:
        os.close(found)
