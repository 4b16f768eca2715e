"""Volumes: folders in the user's store, filled from the image when first mounted.

Runs inside the holder, where the files' owners exist.
"""

import os
import stat
import time
from pathlib import Path

from cntnr_compose.core import names, paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value, field
from cntnr_compose.host import copy_tree as copying
from cntnr_compose.host import files, mounts, process
from cntnr_compose.host.namespaces import holder
from cntnr_compose.model.observed import ObservedVolume
from cntnr_compose.model.project import Volume

ANONYMOUS_LABEL = "com.docker.volume.anonymous"


class VolumeRefused(CntnrError):
    """A volume wants a driver or options that an ordinary user cannot have."""

    hint = (
        "drivers that mount file systems need root; type none with o=bind, and tmpfs, work without"
    )

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"cannot create volume {name}: {what} is not available without root")


class VolumeMissing(CntnrError):
    """A volume that a container mounts is gone."""

    hint = "run `cntnr compose up` to make it again, empty"

    def __init__(self, name: str) -> None:
        super().__init__(f"cannot mount volume {name}: there is no such volume")


class StoredVolume(Value, frozen=True, kw_only=True):
    """What is written of a volume."""

    version: int = 1
    found: ObservedVolume
    options: dict[str, str] = field(default_factory=dict)


class OptionsInvalid(CntnrError):
    """A volume in memory has options that no tmpfs knows."""

    hint = "options are size, mode, uid, gid, nr_inodes (tmpfs(5)); sizes end in k, m or g"

    def __init__(self, name: str, options: str) -> None:
        super().__init__(f'cannot mount volume {name}: a tmpfs cannot have the options "{options}"')


class VolumeDeviceMissing(CntnrError):
    """A volume stands for a folder of the machine that is not there."""

    hint = "make the folder, or correct `driver_opts.device`"

    def __init__(self, name: str, device: str, why: str) -> None:
        super().__init__(f"cannot mount volume {name}: {device}: {why}")


class FillFailed(CntnrError):
    """What the image has cannot be copied into a volume in memory, or into a folder."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"cannot fill volume {name} from the image: {why}")


def mount_volume(name: str) -> Path:
    """Give the folder with a volume's files; one in memory is mounted where it is not yet.

    Raises `VolumeMissing`, `DeviceMissing`, `OptionsInvalid`.
    """
    stored = files.read_value(paths.volume(name) / "volume.json", StoredVolume)
    if stored is None:
        raise VolumeMissing(name)
    place = paths.volume(name) / "_data"
    if stored.options.get("type") == "tmpfs":
        if not place.is_mount():
            options = (one for one in _mount_options(stored) if "=" in one)
            try:
                mounts.mount_tmpfs(place, ",".join(options))
            except OSError as error:
                raise OptionsInvalid(name, stored.options["o"]) from error
        return place
    place.mkdir(exist_ok=True)
    device = stored.options.get("device", "")
    if not device:
        return place
    folder = holder.host_path(Path(device))
    try:
        folder.stat()
    except OSError as error:
        raise VolumeDeviceMissing(name, device, error.strerror or str(error)) from error
    return folder


def device_folder(name: str) -> Path | None:
    """Give the folder of the machine that a volume stands for; None for one of our own."""
    stored = files.read_value(paths.volume(name) / "volume.json", StoredVolume)
    device = stored.options.get("device", "") if stored else ""
    is_memory = stored is not None and stored.options.get("type") == "tmpfs"
    return holder.host_path(Path(device)) if device and not is_memory else None


def existing_folder(name: str) -> Path | None:
    """Give the folder with a volume's files where there is one; nothing is made, nothing mounted."""
    place = device_folder(name) or paths.volume(name) / "_data"
    return place if place.is_dir() else None


def is_read_only(name: str) -> bool:
    """Tell whether a volume's own options forbid to write to it."""
    stored = files.read_value(paths.volume(name) / "volume.json", StoredVolume)
    return stored is not None and "ro" in _mount_options(stored)


def _mount_options(stored: StoredVolume) -> list[str]:
    return [word for word in stored.options.get("o", "").split(",") if word]


def create_volume(wanted: Volume, config_hash: str, labels: dict[str, str], project: str) -> None:
    """Make a named volume, empty. Raises `NameInvalid`, `VolumeRefused`."""
    names.check_name("volume", wanted.name)
    options = _supported_options(wanted)
    found = ObservedVolume(
        name=wanted.name,
        key=wanted.key,
        project=project,
        config_hash=config_hash,
        labels=labels,
        created=time.time(),
    )
    _write_volume(StoredVolume(found=found, options=options))


def create_anonymous_volume(name: str, project: str) -> None:
    """Make a volume that belongs to one container. Raises `NameInvalid`."""
    names.check_name("volume", name)
    labels = {ANONYMOUS_LABEL: "", "com.docker.compose.project": project}
    found = ObservedVolume(
        name=name, project=project, labels=labels, anonymous=True, created=time.time()
    )
    _write_volume(StoredVolume(found=found))


def _supported_options(wanted: Volume) -> dict[str, str]:
    if wanted.driver not in ("", "local"):
        raise VolumeRefused(wanted.name, f"driver {wanted.driver}")
    options = wanted.driver_opts
    kind = options.get("type", "")
    if kind in ("", "none", "bind") and not options.get("device"):
        return {}
    if kind in ("none", "bind", "") and "bind" in options.get("o", "bind"):
        return dict(options)
    if kind == "tmpfs":
        return {"type": "tmpfs", "o": options.get("o", "")}
    raise VolumeRefused(wanted.name, f"a file system of type {kind}")


def _write_volume(stored: StoredVolume) -> None:
    folder = paths.make_data_folder(paths.volume(stored.found.name))
    files.write_value(folder / "volume.json", stored)
    (folder / "_data").mkdir(exist_ok=True)


def find_volume(name: str) -> ObservedVolume | None:
    """Find a volume by its name on the machine."""
    stored = files.read_value(paths.volume(name) / "volume.json", StoredVolume)
    return stored.found if stored and stored.found.name == name else None


def observe_volumes() -> dict[str, ObservedVolume]:
    """Tell what there is, by name."""
    found = (
        find_volume(path.parent.name) for path in sorted(paths.volumes().glob("*/volume.json"))
    )
    return {one.name: one for one in found if one is not None}


def remove_volume(name: str) -> bool:
    """Remove a volume and what is in it; tell whether there was one."""
    folder = paths.volume(name)
    if not folder.exists():
        return False
    mounts.unmount_all(folder)
    data, gone = folder / "_data", folder / "_gone"
    files.remove_tree(gone)  # of one who was killed at this
    if data.exists():
        data.rename(gone)  # at once, so that nobody sees half of what was in it
    files.remove_tree(gone)
    # What it is for goes last, so that who is killed here leaves a volume that can be removed.
    (folder / "volume.json").unlink(missing_ok=True)
    files.remove_tree(folder)
    return True


def fill_from_image(name: str, image_folder: Path) -> None:
    """Copy what the image has at the mount point into a volume that is still empty.

    Owner and mode of the folder itself come along, so that a service's own user can write to it.
    Raises `CommandFailed`, `FillFailed`, and what `content` raises.
    """
    target = mount_volume(name)
    if not image_folder.is_dir() or any(target.iterdir()):
        return
    found = image_folder.stat()
    if any(image_folder.iterdir()):
        _copy(name, image_folder, target)
    os.chown(target, found.st_uid, found.st_gid)
    target.chmod(stat.S_IMODE(found.st_mode))


def _copy(name: str, source: Path, target: Path) -> None:
    beside = paths.volume(name) / "_filling"
    files.remove_tree(beside)
    if target.parent != beside.parent or target.is_mount():
        _copy_in_place(name, source, target)
        return
    # Half a copy, of one who was killed, would count as filled next time. So it is made beside the
    # target, and moved: others may have the target mounted already.
    beside.mkdir()
    beside.chmod(0o700)  # where it hands its group down, the copies would have that of it
    process.run(["cp", "-a", "--reflink=auto", f"{source}/.", str(beside)])
    for entry in beside.iterdir():
        entry.rename(target / entry.name)
    beside.rmdir()


def _copy_in_place(name: str, source: Path, target: Path) -> None:
    """Copy to where containers that run may put links meanwhile."""
    original, copy = (os.open(path, copying.FOLDER_FLAGS) for path in (source, target))
    try:
        os.fchmod(copy, 0o700)  # as above
        copying.copy_tree(original, copy)
    except OSError as error:
        for entry in target.iterdir():
            files.remove_tree(entry)
        raise FillFailed(name, error.strerror or str(error)) from error
    finally:
        os.close(original)
        os.close(copy)
