"""Give a program in a container a socket for what it tells the service manager (sd_notify(3)).

The folder of the socket is a mount, and among the container's files; whoever starts it listens there.
"""

from pathlib import Path

from cntnr_compose.containers.spec.inputs import ResolvedMount
from cntnr_compose.core import paths
from cntnr_compose.model.observed import Record

ANNOTATION = "cntnr.sdnotify"  # when a container counts as started
BY_PROGRAM = "container"  # when its program says so
TARGET = "/run/notify"
SOCKET = "notify.sock"


def has_socket(record: Record) -> bool:
    """Tell whether the program of a container is to tell how it does."""
    return record.definition.annotations.get(ANNOTATION) == BY_PROGRAM


def notify_folder(record: Record) -> Path:
    """Return the folder of a container's socket, the same inside the holder and outside."""
    return paths.container(record.project, record.id) / "notify"


def mount_folder(record: Record) -> tuple[ResolvedMount, ...]:
    """Create the folder, and return its mount, where the container has one."""
    if not has_socket(record):
        return ()
    folder = notify_folder(record)
    folder.mkdir(exist_ok=True)
    return (ResolvedMount(target=TARGET, source=str(folder)),)


def environment(record: Record) -> dict[str, str]:
    """Return the variable by which the program finds the socket."""
    return {"NOTIFY_SOCKET": f"{TARGET}/{SOCKET}"} if has_socket(record) else {}
