"""Start a supervisor before it is known which project it is for, while compose files are read.

Whatever this module imports delays the start.
"""

import contextlib
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.names import likely_project_name
from cntnr_compose.host import process

SUPERVISOR_CODE = "from cntnr_compose.supervisor.main import main; main()"
_started: list[socket.socket] = []


def start(cwd: str, environ: Mapping[str, str], name: str = "") -> None:
    """Start a supervisor, unless the project, by its likely name, has one already."""
    start_for(likely_project_name(name, environ, cwd))


def start_for(project: str) -> None:
    """Start a supervisor, unless the project has one already."""
    if not _started and not _has_socket(project):
        _started.append(_start())


def take() -> socket.socket:
    """Return a connection to the prestarted supervisor, or start one."""
    return _started.pop() if _started else _start()


def discard() -> None:
    """Disconnect from a prestarted supervisor that is not needed, so that it exits."""
    while _started:
        connection = _started.pop()
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()


def _has_socket(project: str) -> bool:
    """Tell whether a project seems to have a supervisor; asking the holder would take longer."""
    socket_path = paths.supervisor_socket(project).relative_to(paths.holder_tmpfs())
    # Path.exists would raise where the holder has just been killed.
    return os.access(paths.holder() / "inside" / socket_path, os.F_OK)


def _environment() -> dict[str, str]:
    """Return our environment without the socket of a service manager, who awaits nothing of a supervisor."""
    return {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}


def _start() -> socket.socket:
    runtime = paths.secure_runtime()
    paths.secure_data()
    # Until it knows its project it has no log; errors come over the socket.
    log = runtime / "early.log" if os.environ.get("CNTNR_DEBUG") else Path(os.devnull)
    our_end, their_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with their_end, Path(os.devnull).open("rb") as null, log.open("ab") as out:
        process.popen(
            [sys.executable, "-P", "-c", SUPERVISOR_CODE, str(their_end.fileno())],
            env={**_environment(), "PATH": process.search_path()},
            stdin=null.fileno(),
            stdout=out.fileno(),
            stderr=out.fileno(),
            pass_fds=(their_end.fileno(),),
            new_session=True,
            cwd="/",
        )
    return our_end
