"""Where things lie on disk, as texts.

For `core.paths`, and for commands that do without pathlib, whose import takes 3 ms.
"""

import os
import stat

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.names import safe_path_part

HOLDER_TMPFS = "/run/cntnr"


class UnsafeRuntimeDirectory(CntnrError):
    """The runtime directory belongs to another user, or others may write to it."""

    hint = "have it removed, or set XDG_RUNTIME_DIR to a directory of yours with mode 0700"

    def __init__(self, path: str) -> None:
        super().__init__(f"cannot trust the runtime directory {path}: not ours alone")


def data() -> str:
    """Return ``$XDG_DATA_HOME/cntnr``."""
    chosen = os.environ.get("XDG_DATA_HOME", "")
    return f"{chosen if chosen.startswith('/') else home() + '/.local/share'}/cntnr"


def home() -> str:
    """Return ``$HOME`` without a slash at its end; "" where that is the root, or it is not set."""
    return os.environ.get("HOME", "").rstrip("/")


def containers() -> str:
    """Return the folder of records, logs and upper directories of containers."""
    return f"{data()}/containers"


def projects() -> str:
    """Return the folder of what projects were last brought up as: one file per project and kind."""
    return f"{data()}/projects"


def container(project: str, identity: str) -> str:
    """Return the folder of one container: record, status, log, upper directory. Raises `NameInvalid`."""
    safe = safe_path_part(project, "project"), safe_path_part(identity, "container")
    return f"{containers()}/{'/'.join(safe)}"


def holder_state() -> str:
    """Return the folder of files that the holder needs and that no cleaner of old files may remove."""
    return f"{data()}/holder"


def holder() -> str:
    """Return the folder of what is known of the user's namespace holder. Raises `UnsafeRuntimeDirectory`."""
    return f"{runtime()}/holder"


def runtime() -> str:
    """Return ``$XDG_RUNTIME_DIR/cntnr``, else ``/run/user/UID/cntnr``, else ``/tmp/cntnr-UID``.

    The same for all commands of a user, whether or not the shell has the variable (`su`, cron). A
    folder that others may write to is never read. Raises `UnsafeRuntimeDirectory`.
    """
    path = chosen_runtime()
    try:
        check_owner(path)
    except OSError:  # not there yet, or not reachable
        return path
    return path


def chosen_runtime() -> str:
    """Return the runtime folder, whoever owns it."""
    if chosen := os.environ.get("CNTNR_RUNTIME_DIR"):
        return chosen
    configured = os.environ.get("XDG_RUNTIME_DIR", "")
    for folder in (configured, f"/run/user/{os.getuid()}"):
        if folder.startswith("/") and _is_ours(folder):
            return f"{folder}/cntnr"
    return f"/tmp/cntnr-{os.getuid()}"


def _is_ours(folder: str) -> bool:
    """Tell whether we own a folder; `sudo` and `su` may leave the variable of another user."""
    try:
        return os.stat(folder).st_uid == os.getuid() and os.access(folder, os.W_OK)
    except OSError:
        return False


def check_owner(path: str) -> None:
    """Check that the runtime folder is ours alone. Raises `UnsafeRuntimeDirectory`, `OSError`."""
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise UnsafeRuntimeDirectory(path)


def supervisor_file(project: str, suffix: str) -> str:
    """Return the path, below the holder's tmpfs, of a supervisor's socket or lock."""
    return f"s/{short_name(project)}.{suffix}"


def short_name(project: str) -> str:
    """Shorten a long name: paths of sockets allow 107 bytes."""
    safe_path_part(project, "project")
    if len(project) <= 40:
        return project
    import zlib

    return f"{project[:31]}-{zlib.crc32(project.encode()):08x}"
