"""Volumes: folders in the user's store, tmpfs mounts, and folders of the host that they stand for.

Runs inside the holder, where the files' owners exist.
"""

import time
from pathlib import Path

from cntnr_compose.core import names, paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value, field
from cntnr_compose.host import event_log, files, mounts
from cntnr_compose.host.namespaces import holder
from cntnr_compose.model.observed import ObservedVolume
from cntnr_compose.model.project import Volume

ANONYMOUS_LABEL = "com.docker.volume.anonymous"


class VolumeRefused(CntnrError):
    """A volume asks for a driver or options that an ordinary user cannot have."""

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


class OptionsInvalid(CntnrError):
    """A volume in memory has options that no tmpfs has."""

    hint = "options are size, mode, uid, gid, nr_inodes (tmpfs(5)); sizes end in k, m or g"

    def __init__(self, name: str, options: str) -> None:
        super().__init__(f'cannot mount volume {name}: a tmpfs cannot have the options "{options}"')


class VolumeDeviceMissing(CntnrError):
    """A volume stands for a folder of the host that does not exist."""

    hint = "make the folder, or correct `driver_opts.device`"

    def __init__(self, name: str, device: str, why: str) -> None:
        super().__init__(f"cannot mount volume {name}: {device}: {why}")


class VolumeOptionInvalid(CntnrError):
    """A volume has an option that its driver does not know, or lacks one that it needs."""

    hint = "options are type, o and device: those of mount(8)"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"create {name}: {reason}")


class StoredVolume(Value, frozen=True, kw_only=True):
    """A volume's record: volume.json, beside its files."""

    version: int = 1
    found: ObservedVolume
    options: dict[str, str] = field(default_factory=dict)

    @property
    def is_tmpfs(self) -> bool:
        """Check whether it is in memory."""
        return self.options.get("type") == "tmpfs"

    @property
    def device(self) -> str:
        """Return the folder of the host that it stands for; empty for one of our own."""
        return "" if self.is_tmpfs else self.options.get("device", "")

    def mount_options(self) -> list[str]:
        """Return the options of ``o``."""
        return [option for option in self.options.get("o", "").split(",") if option]


def _read(name: str) -> StoredVolume | None:
    return files.read_value(paths.volume(name) / "volume.json", StoredVolume)


def _write(volume: StoredVolume) -> None:
    folder = paths.make_data_folder(paths.volume(volume.found.name))
    files.write_value(folder / "volume.json", volume)
    (folder / "_data").mkdir(exist_ok=True)
    files.sync_soon(folder / "volume.json")
    files.sync_soon(folder)


def mount_volume(name: str) -> Path:
    """Return the folder with a volume's files; mount one in memory where it is not mounted yet.

    Raises `VolumeMissing`, `VolumeDeviceMissing`, `OptionsInvalid`.
    """
    volume = _read(name)
    if volume is None:
        raise VolumeMissing(name)
    data = paths.volume(name) / "_data"
    if volume.is_tmpfs:
        if not data.is_mount():
            options = (option for option in volume.mount_options() if "=" in option)
            try:
                mounts.mount_tmpfs(data, ",".join(options))
            except OSError as error:
                raise OptionsInvalid(name, volume.options["o"]) from error
        return data
    data.mkdir(exist_ok=True)
    if not volume.device:
        return data
    folder = holder.host_path(Path(volume.device))
    try:
        folder.stat()
    except OSError as error:
        raise VolumeDeviceMissing(name, volume.device, error.strerror or str(error)) from error
    return folder


def device_folder(name: str) -> Path | None:
    """Return the folder of the host that a volume stands for; None for one of our own."""
    volume = _read(name)
    return holder.host_path(Path(volume.device)) if volume and volume.device else None


def existing_folder(name: str) -> Path | None:
    """Return the folder with a volume's files where it exists; create and mount nothing."""
    folder = device_folder(name) or paths.volume(name) / "_data"
    return folder if folder.is_dir() else None


def is_read_only(name: str) -> bool:
    """Check whether a volume's own options forbid writing to it."""
    volume = _read(name)
    return volume is not None and "ro" in volume.mount_options()


def check_options(volume: Volume) -> None:
    """Check driver and options of a volume as strictly as docker's own driver does.

    Raises `VolumeRefused`, `VolumeOptionInvalid`.
    """
    _supported_options(volume)
    for name in volume.driver_opts:
        if name not in ("type", "o", "device"):
            raise VolumeOptionInvalid(volume.name, f'invalid option: "{name}"')
    if volume.driver_opts and not volume.driver_opts.get("device"):
        raise VolumeOptionInvalid(volume.name, 'missing required option: "device"')


def create_volume(
    requested: Volume,
    config_hash: str,
    labels: dict[str, str],
    project: str,
    *,
    anonymous: bool = False,
    origin: str = "",
) -> None:
    """Create a named volume, empty. Raises `NameInvalid`, `VolumeRefused`."""
    names.check_name("volume", requested.name)
    options = _supported_options(requested)
    observed = ObservedVolume(
        name=requested.name,
        key=requested.key,
        project=project,
        config_hash=config_hash,
        labels=labels,
        anonymous=anonymous,
        created=time.time(),
        origin=origin,
    )
    _write(StoredVolume(found=observed, options=options))
    note_event("create", requested.name)


def create_anonymous_volume(name: str, project: str) -> None:
    """Create a volume that belongs to one container. Raises `NameInvalid`."""
    names.check_name("volume", name)
    labels = {ANONYMOUS_LABEL: "", "com.docker.compose.project": project}
    observed = ObservedVolume(
        name=name, project=project, labels=labels, anonymous=True, created=time.time()
    )
    _write(StoredVolume(found=observed))
    note_event("create", name)


def _supported_options(volume: Volume) -> dict[str, str]:
    if volume.driver not in ("", "local"):
        raise VolumeRefused(volume.name, f"driver {volume.driver}")
    options = volume.driver_opts
    kind = options.get("type", "")
    if kind in ("", "none", "bind") and not options.get("device"):
        return {}
    if kind in ("none", "bind", "") and "bind" in options.get("o", "bind"):
        return dict(options)
    if kind == "tmpfs":
        return {"o": "", **options}
    raise VolumeRefused(volume.name, f"a file system of type {kind}")


def driver_options(name: str) -> dict[str, str]:
    """Return the options that a volume was created with."""
    volume = _read(name)
    return volume.options if volume else {}


def find_volume(name: str) -> ObservedVolume | None:
    """Find a volume by its name on the host."""
    volume = _read(name)
    return volume.found if volume and volume.found.name == name else None


def observe_volumes() -> dict[str, ObservedVolume]:
    """Return all volumes by name."""
    folders = (path.parent for path in files.find_paths(paths.volumes(), "*/volume.json"))
    volumes = (find_volume(folder.name) for folder in folders)
    return {volume.name: volume for volume in volumes if volume is not None}


def remove_volume(name: str) -> bool:
    """Remove a volume and its files; return whether there was one."""
    folder = paths.volume(name)
    if not folder.exists():
        return False
    mounts.unmount_all(folder)
    data, removed = folder / "_data", folder / "_gone"
    files.remove_tree(removed)  # left by a process that was killed here
    if data.exists():
        data.rename(removed)  # at once, so that no container sees a part of the files
    files.remove_tree(removed)
    # The record goes last, so that a process that is killed here leaves a volume that can be removed.
    (folder / "volume.json").unlink(missing_ok=True)
    files.remove_tree(folder)
    note_event("destroy", name)
    return True


def note_event(action: str, name: str, **attributes: str) -> None:
    """Note what became of a volume, for `events`."""
    event_log.note_resource_event("volume", action, name, {"driver": "local", **attributes})
