"""Paths of everything on disk, below the XDG base directories.

Data survives a reboot and may be large; runtime is a tmpfs that ends with the session.
Files of subordinate ids can only be read or removed inside the namespaces of the holder.
"""

import contextlib
import errno
import os
import stat
from pathlib import Path

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.names import safe_path_part


class UnsafeRuntimeDirectory(CntnrError):
    """The runtime directory belongs to another user, or others may write to it."""

    hint = "have it removed, or set XDG_RUNTIME_DIR to a directory of yours with mode 0700"

    def __init__(self, path: Path) -> None:
        super().__init__(f"cannot trust the runtime directory {path}: not ours alone")


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
    is_ours = any(ours in (path, *path.parents) for ours in (data(), _chosen_runtime()))
    return HomeNotWritable(path, error.strerror or str(error)) if is_ours else None


def _home() -> Path:
    home = os.environ.get("HOME")
    return Path(home) if home else Path("/")


def data() -> Path:
    """Return ``$XDG_DATA_HOME/cntnr``."""
    chosen = os.environ.get("XDG_DATA_HOME", "")
    return (Path(chosen) if chosen.startswith("/") else _home() / ".local/share") / "cntnr"


def config() -> Path:
    """Return ``$XDG_CONFIG_HOME/cntnr``."""
    chosen = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(chosen) if chosen.startswith("/") else _home() / ".config") / "cntnr"


def runtime() -> Path:
    """Return ``$XDG_RUNTIME_DIR/cntnr``, else ``/run/user/UID/cntnr``, else ``/tmp/cntnr-UID``.

    The same for all commands of a user, whether or not the shell has the variable (`su`, cron). A
    folder that others may write to is never read. Raises `UnsafeRuntimeDirectory`.
    """
    path = _chosen_runtime()
    with contextlib.suppress(OSError):  # not there yet, or not reachable
        _check_owner(path)
    return path


def _chosen_runtime() -> Path:
    if chosen := os.environ.get("CNTNR_RUNTIME_DIR"):
        return Path(chosen)
    configured = os.environ.get("XDG_RUNTIME_DIR", "")
    for folder in (configured, f"/run/user/{os.getuid()}"):
        if folder.startswith("/") and _is_ours(folder):
            return Path(folder) / "cntnr"
    return Path(f"/tmp/cntnr-{os.getuid()}")


def _is_ours(folder: str) -> bool:
    """Tell whether we own a folder; `sudo` and `su` may leave the variable of another user."""
    try:
        return Path(folder).stat().st_uid == os.getuid() and os.access(folder, os.W_OK)
    except OSError:
        return False


def _check_owner(path: Path) -> None:
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise UnsafeRuntimeDirectory(path)


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
    return data() / "containers"


def projects() -> Path:
    """Return the folder of what projects were last brought up as: one file per project and kind."""
    return data() / "projects"


def history(project: str) -> Path:
    """Return the folder of what became of a project's containers: one file a service."""
    return data() / "history" / safe_path_part(project, "project")


def resource_events() -> Path:
    """Return the file that events of networks and volumes are noted in."""
    return data() / "resource-events.jsonl"


def holder() -> Path:
    """Return the folder of what is known of the user's namespace holder."""
    return runtime() / "holder"


def holder_state() -> Path:
    """Return the folder of files that the holder needs and that no cleaner of old files may remove."""
    return data() / "holder"


def supervisor_logs() -> Path:
    """Return the folder of logs that supervisors write."""
    return runtime() / "s"


def watch_lock(project: str) -> Path:
    """Return the lock of the command that watches a project, and its pid in there."""
    return runtime() / "w" / f"{_short(project)}.pid"


def holder_tmpfs() -> Path:
    """Return the tmpfs folder inside the holder, which ends with it."""
    return Path("/run/cntnr")


def holder_locks() -> Path:
    """Return the folder, inside the holder, of locks that keep it alive."""
    return holder_tmpfs() / "u"


def bundles() -> Path:
    """Return the folder, inside the holder, of OCI bundles."""
    return holder_tmpfs() / "b"


def container(project: str, identity: str) -> Path:
    """Return the folder of one container: record, status, log, upper directory."""
    return containers() / safe_path_part(project, "project") / safe_path_part(identity, "container")


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
    return holder_tmpfs() / "s" / f"{_short(project)}.sock"


def supervisor_log(project: str) -> Path:
    """Return the log file of a supervisor; it exists as long as the supervisor."""
    return supervisor_logs() / f"{_short(project)}.log"


def _short(project: str) -> str:
    """Shorten a long name: paths of sockets allow 107 bytes."""
    import zlib

    safe_path_part(project, "project")
    return project if len(project) <= 40 else f"{project[:31]}-{zlib.crc32(project.encode()):08x}"


def secure_runtime() -> Path:
    """Create the runtime folder with mode 0700, check its owner, and return it.

    Raises `UnsafeRuntimeDirectory`, `HomeNotWritable`.
    """
    path = runtime()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise HomeNotWritable(path, error.strerror or str(error)) from error
    _check_owner(path)
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
