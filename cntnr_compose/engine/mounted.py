"""The mounts that a service asks for: where on the machine each of them comes from."""

import contextlib
from pathlib import Path
from posixpath import normpath

from cntnr_compose.adapters import kernel, mounts
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import replace
from cntnr_compose.engine import unpack, volumes
from cntnr_compose.engine.images import ImageStore
from cntnr_compose.model.observed import MountPoint, Record
from cntnr_compose.model.service import Mount
from cntnr_compose.plan.setting import ResolvedMount


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


async def resolved(record: Record, place: Path, point: MountPoint) -> ResolvedMount:
    """Find what one of a container's mounts mounts, made or filled where that is due.

    Raises `BindSourceMissing`, `ImageGone`, `SubpathMissing`, `VolumeMissing`.
    """
    wanted = next((m for m in record.definition.volumes if m.target == point.target), None)
    wanted = wanted or Mount(type=point.type, target=point.target)
    base = ResolvedMount(target=point.target, type=point.type, read_only=point.read_only)
    match point.type:
        case "tmpfs":
            return replace(base, size=wanted.tmpfs.size, mode=wanted.tmpfs.mode)
        case "bind":
            return _bound(record, place, base, wanted, point)
        case "image":
            source = await _image_folder(record, place, point)
            return replace(base, source=str(_below(source, wanted.image.subpath)))
        case _:
            return _volume(place, base, wanted, point)


def _bound(
    record: Record, place: Path, base: ResolvedMount, wanted: Mount, point: MountPoint
) -> ResolvedMount:
    source = _bind_source(record, wanted, point, place / "rootfs")
    return replace(
        base,
        source=str(source),
        propagation=wanted.bind.propagation,
        recursive=wanted.bind.recursive,
        selinux=wanted.bind.selinux,
        flags=kernel.locked_flags(source),
    )


def _volume(place: Path, base: ResolvedMount, wanted: Mount, point: MountPoint) -> ResolvedMount:
    if not wanted.volume.nocopy and not wanted.volume.subpath:
        with contextlib.suppress(FileNotFoundError):  # the image has nothing there
            volumes.fill(point.source, kernel.inside(place / "rootfs", point.target))
    source = _below(volumes.content(point.source), wanted.volume.subpath)
    return replace(
        base,
        type="volume",
        source=str(source),
        read_only=base.read_only or volumes.is_read_only(point.source),
        flags=kernel.locked_flags(source),
    )


async def _image_folder(record: Record, place: Path, point: MountPoint) -> Path:
    image = ImageStore().find(point.source)
    if image is None:
        raise ImageGone(record.name, point.source)
    lower = await unpack.ensure_unpacked(image)
    if len(lower) == 1:
        return lower[0]
    target = place / "images" / str(record.mounts.index(point))
    target.mkdir(parents=True)
    mounts.stack(lower, target)
    return target


class SubpathMissing(CntnrError):
    """A path in a volume or an image is not there."""

    def __init__(self, subpath: str) -> None:
        super().__init__(f"cannot mount subpath {subpath}: it does not exist in the volume")


def _below(root: Path, subpath: str) -> Path:
    """Find a path below a root that neither it nor a link in it leads out of."""
    if normpath(subpath).startswith(("/", "..")):
        raise SubpathMissing(subpath)
    try:
        return kernel.inside(root, subpath) if subpath else root
    except FileNotFoundError:
        raise SubpathMissing(subpath) from None


def _bind_source(record: Record, wanted: Mount, point: MountPoint, rootfs: Path) -> Path:
    source, name = mounts.on_machine(Path(point.source)), record.service
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
    inside = rootfs / point.target.lstrip("/")
    if inside.is_file() or (source.suffix and not inside.is_dir()):
        raise BindSourceMissing(name, point.source, "it does not exist, and looks like a file")
    try:
        source.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BindSourceMissing(
            name, point.source, f"it cannot be made: {error.strerror}"
        ) from error
    return source
