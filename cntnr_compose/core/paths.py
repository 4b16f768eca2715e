"""Where things live on disk: one function per place, XDG base directories throughout.

Data survives a reboot and may be large; runtime is a tmpfs that dies with the session.
Files of subordinate ids can only be read or removed inside the holder.
"""

import contextlib
import errno
import os
import stat
from pathlib import Path

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.names import safe_path_part


class UnsafeRuntimeDirectory(CntnrError):
    """The runtime directory belongs to somebody else, or others may write to it."""

    hint = "have it removed, or set XDG_RUNTIME_DIR to a directory of yours with mode 0700"

    def __init__(self, path: Path) -> None:
        super().__init__(f"cannot trust the runtime directory {path}: not ours alone")


class HomeNotWritable(CntnrError):
    """A directory that we must write to cannot be made or written."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"cannot write to {path}: {why}")
        self.hint = "make it writable, or set XDG_DATA_HOME to a directory that is"


class DiskFull(CntnrError):
    """There is no room where we must write."""

    hint = "free some space, or set XDG_DATA_HOME to a directory on a larger disk"

    def __init__(self, path: Path) -> None:
        super().__init__(f"cannot write to {path}: no space is left on the disk")


def explain_os_error(error: OSError) -> CntnrError | None:
    """Say in a user's words what the file system refuses, where that is his to mend; else None."""
    path = Path(os.fsdecode(error.filename)) if error.filename else None
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(path or data())
    if path is None or error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
        return None
    is_ours = any(place in (path, *path.parents) for place in (data(), _chosen_runtime()))
    return HomeNotWritable(path, error.strerror or str(error)) if is_ours else None


def _home() -> Path:
    home = os.environ.get("HOME")
    return Path(home) if home else Path("/")


def data() -> Path:
    """Give ``$XDG_DATA_HOME/cntnr``."""
    chosen = os.environ.get("XDG_DATA_HOME", "")
    return (Path(chosen) if chosen.startswith("/") else _home() / ".local/share") / "cntnr"


def config() -> Path:
    """Give ``$XDG_CONFIG_HOME/cntnr``."""
    chosen = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(chosen) if chosen.startswith("/") else _home() / ".config") / "cntnr"


def runtime() -> Path:
    """Give ``$XDG_RUNTIME_DIR/cntnr``, else ``/run/user/UID/cntnr``, else ``/tmp/cntnr-UID``.

    The same for all commands of a user, whether or not his shell has the variable (`su`, cron). A
    folder that is there and not his alone is never read. Raises `UnsafeRuntimeDirectory`.
    """
    path = _chosen_runtime()
    with contextlib.suppress(
        OSError
    ):  # not there yet; what cannot be reached cannot be read either
        _check_owner(path)
    return path


def _chosen_runtime() -> Path:
    if chosen := os.environ.get("CNTNR_RUNTIME_DIR"):
        return Path(chosen)
    named = os.environ.get("XDG_RUNTIME_DIR", "")
    for folder in (named, f"/run/user/{os.getuid()}"):
        if folder.startswith("/") and _is_ours(folder):
            return Path(folder) / "cntnr"
    return Path(f"/tmp/cntnr-{os.getuid()}")


def _is_ours(folder: str) -> bool:
    """Tell whether a folder is ours to write to; `sudo` and `su` may leave the variable of another user."""
    try:
        return Path(folder).stat().st_uid == os.getuid() and os.access(folder, os.W_OK)
    except OSError:
        return False


def _check_owner(path: Path) -> None:
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise UnsafeRuntimeDirectory(path)


def images() -> Path:
    """Give the OCI image layout that all projects share."""
    return data() / "images"


def layers() -> Path:
    """Give the folder of unpacked lower directories."""
    return data() / "layers"


def builds() -> Path:
    """Give the folder of what builds remember: steps, digests, built images, cache mounts."""
    return data() / "builds"


def volumes() -> Path:
    """Give the folder of named volumes."""
    return data() / "volumes"


def volume(name: str) -> Path:
    """Give the folder of one volume: what it is for, and its files."""
    return volumes() / safe_path_part(name, "volume")


def containers() -> Path:
    """Give the folder of upper directories, records and logs of containers."""
    return data() / "containers"


def projects() -> Path:
    """Give the folder of what projects are meant to be: one file per project and kind."""
    return data() / "projects"


def holder() -> Path:
    """Give the folder of what is known of the user's namespace holder."""
    return runtime() / "holder"


def holder_state() -> Path:
    """Give the folder of what the holder cannot do without: no cleaner of old files comes there."""
    return data() / "holder"


def supervisor_logs() -> Path:
    """Give the folder of what supervisors write while they live."""
    return runtime() / "s"


def holder_tmpfs() -> Path:
    """Give the tmpfs folder inside the holder, which dies with it; `holder.outside` leads there."""
    return Path("/run/cntnr")


def holder_locks() -> Path:
    """Give the folder, inside the holder, of locks that keep it."""
    return holder_tmpfs() / "u"


def bundles() -> Path:
    """Give the folder, inside the holder, of OCI bundles."""
    return holder_tmpfs() / "b"


def container(project: str, identity: str) -> Path:
    """Give the folder of one container: record, status, log, upper directory."""
    return containers() / safe_path_part(project, "project") / safe_path_part(identity, "container")


def container_log(project: str, identity: str) -> Path:
    """Give the log file of one container, in the format that conmon calls k8s-file."""
    return container(project, identity) / "log"


def bundle(identity: str) -> Path:
    """Give the OCI bundle of one container; it stands from `runc create` to `runc delete`."""
    return bundles() / safe_path_part(identity, "container")[:12]


def intent(project: str) -> Path:
    """Give the file that holds what a project is meant to be."""
    return projects() / f"{safe_path_part(project, 'project')}.json"


def supervisor_socket(project: str) -> Path:
    """Give the socket of a supervisor, inside the holder; its lock lies beside it."""
    return holder_tmpfs() / "s" / f"{_short(project)}.sock"


def supervisor_log(project: str) -> Path:
    """Give what a supervisor writes its last words to; it is there for as long as it lives."""
    return supervisor_logs() / f"{_short(project)}.log"


def _short(project: str) -> str:
    """Cut a long name: sockets allow 107 bytes."""
    import zlib

    safe_path_part(project, "project")
    return project if len(project) <= 40 else f"{project[:31]}-{zlib.crc32(project.encode()):08x}"


def secure_runtime() -> Path:
    """Make the runtime folder with mode 0700, check its owner, and give it.

    Raises `UnsafeRuntimeDirectory`, `HomeNotWritable`.
    """
    path = runtime()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise HomeNotWritable(path, error.strerror or str(error)) from error
    _check_owner(path)
    # Inside the holder our uid is another one, and the folder that is named after it would be, too.
    os.environ["CNTNR_RUNTIME_DIR"] = str(path)
    return path


def secure_data() -> Path:
    """Make the data folder one that only its user may enter, and give it.

    Others could start a program of a container's there that is setuid to this user. Raises
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
    """Make a data folder and give it; raise `HomeNotWritable` where that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HomeNotWritable(path, error.strerror or str(error)) from error
    return path
