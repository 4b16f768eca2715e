"""Paths of everything on disk, below the XDG base directories.

Data survives a reboot and may be large; runtime is a tmpfs that ends with the session. `folders` has as texts
what commands need that do without pathlib. Files of subordinate ids can only be read or removed inside the
namespaces of the holder.
"""

import errno
import os
from pathlib import Path

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.files import folders
from cntnr_compose.core.names import safe_path_part


class HomeNotWritable(CntnrError):
    """A directory that we need cannot be created or written."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"cannot write to {path}: {why}")
        self.hint = "make it writable, or set XDG_DATA_HOME to a directory that is"


class DiskFull(CntnrError):
    """No space is left where we need to write."""

    hint = "free some space, or set XDG_DATA_HOME to a directory on a larger disk"

    def __init__(self, path: Path) -> None:
        super().__init__(f"cannot write to {path}: no space is left on the disk")


def explain_os_error(error: OSError) -> CntnrError | None:
    """Turn an error of the file system into one that a user can fix; None where it is none."""
    path = Path(os.fsdecode(error.filename)) if error.filename else None
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(path or data())
    if path is None or error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
        return None
    is_ours = any(
        ours in (path, *path.parents) for ours in (data(), Path(folders.chosen_runtime()))
    )
    return HomeNotWritable(path, error.strerror or str(error)) if is_ours else None


def data() -> Path:
    """Return ``$XDG_DATA_HOME/cntnr``."""
    return Path(folders.data())


def config() -> Path:
    """Return ``$XDG_CONFIG_HOME/cntnr``."""
    chosen = os.environ.get("XDG_CONFIG_HOME", "")
    return Path(chosen if chosen.startswith("/") else f"{folders.home()}/.config") / "cntnr"


def runtime() -> Path:
    """Return the runtime folder of `folders.runtime`. Raises `UnsafeRuntimeDirectory`."""
    return Path(folders.runtime())


def images() -> Path:
    """Return the OCI image layout that all projects share."""
    return data() / "images"


def artifacts() -> Path:
    """Return the folder of projects that were published, and fetched: one folder each, by digest."""
    return data() / "artifacts"


def layers() -> Path:
    """Return the folder of unpacked layers."""
    return data() / "layers"


def bundle_store() -> Path:
    """Return the folder of bundles that stay: one folder each."""
    return data() / "bundles"


def builds() -> Path:
    """Return the folder of build caches: steps, digests, built images, cache mounts."""
    return data() / "builds"


def volumes() -> Path:
    """Return the folder of volumes."""
    return data() / "volumes"


def networks() -> Path:
    """Return the folder of networks that were created by hand: one file a network."""
    return data() / "networks"


def volume(name: str) -> Path:
    """Return the folder of one volume: its record and its files."""
    return volumes() / safe_path_part(name, "volume")


def containers() -> Path:
    """Return the folder of records, logs and upper directories of containers."""
    return Path(folders.containers())


def projects() -> Path:
    """Return the folder of what projects were last brought up as: one file per project and kind."""
    return Path(folders.projects())


def history(project: str) -> Path:
    """Return the folder of what became of a project's containers: one file a service."""
    return data() / "history" / safe_path_part(project, "project")


def resource_events() -> Path:
    """Return the file that events of networks and volumes are noted in."""
    return data() / "resource-events.jsonl"


def holder() -> Path:
    """Return the folder of what is known of the user's namespace holder."""
    return Path(folders.holder())


def holder_state() -> Path:
    """Return the folder of files that the holder needs and that no cleaner of old files may remove."""
    return Path(folders.holder_state())


def supervisor_logs() -> Path:
    """Return the folder of logs that supervisors write."""
    return runtime() / "s"


def watch_lock(project: str) -> Path:
    """Return the lock of the command that watches a project, and its pid in there."""
    return runtime() / "w" / f"{folders.short_name(project)}.pid"


def holder_tmpfs() -> Path:
    """Return the tmpfs folder inside the holder, which ends with it."""
    return Path(folders.HOLDER_TMPFS)


def holder_locks() -> Path:
    """Return the folder, inside the holder, of locks that keep it alive."""
    return holder_tmpfs() / "u"


def bundles() -> Path:
    """Return the folder, inside the holder, of OCI bundles."""
    return holder_tmpfs() / "b"


def container(project: str, identity: str) -> Path:
    """Return the folder of one container: record, status, log, upper directory."""
    return Path(folders.container(project, identity))


def boot_script(project: str) -> Path:
    """Return the script that starts a project's containers after a reboot; there where it is installed."""
    return data() / "boot" / f"{safe_path_part(project, 'project')}.sh"


def container_log(project: str, identity: str) -> Path:
    """Return the log file of one container, in the format that conmon calls k8s-file."""
    return container(project, identity) / "log"


def bundle(identity: str) -> Path:
    """Return the OCI bundle of one container; it exists from `runc create` to `runc delete`."""
    return bundles() / safe_path_part(identity, "container")[:12]


def intent(project: str) -> Path:
    """Return the file of what a project was last brought up as."""
    return projects() / f"{safe_path_part(project, 'project')}.json"


def supervisor_socket(project: str) -> Path:
    """Return the socket of a supervisor, inside the holder; its lock is beside it."""
    return holder_tmpfs() / folders.supervisor_file(project, "sock")


def exec_socket(project: str) -> Path:
    """Return the socket at which a supervisor takes processes of `exec` with their streams."""
    return supervisor_socket(project).with_suffix(".exec")


def supervisor_log(project: str) -> Path:
    """Return the log file of a supervisor; it exists as long as the supervisor."""
    return supervisor_logs() / f"{folders.short_name(project)}.log"


def secure_runtime() -> Path:
    """Create the runtime folder with mode 0700, check its owner, and return it.

    Raises `UnsafeRuntimeDirectory`, `HomeNotWritable`.
    """
    path = runtime()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise HomeNotWritable(path, error.strerror or str(error)) from error
    folders.check_owner(str(path))
    # Inside the holder we have another uid, and a folder named after it would be another one, too.
    os.environ["CNTNR_RUNTIME_DIR"] = str(path)
    return path


def secure_data() -> Path:
    """Create the data folder with access for its user only, and return it.

    Others could start a program of a container there that is setuid to this user. Raises
    `HomeNotWritable`.
    """
    path = make_data_folder(data())
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise HomeNotWritable(path, error.strerror or str(error)) from error
    return path


def make_data_folder(path: Path) -> Path:
    """Create a data folder and return it; raise `HomeNotWritable` where that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HomeNotWritable(path, error.strerror or str(error)) from error
    return path
