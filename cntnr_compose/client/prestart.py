"""Start a supervisor before it is known which project it is for, while compose files are read.

Whatever this module imports delays the start.
"""

import contextlib
import os
import socket
import sys
from collections.abc import Mapping

from cntnr_compose.core import paths
from cntnr_compose.core.names import likely_project_name
from cntnr_compose.host import process
from cntnr_compose.host.children import forks

SUPERVISOR = (
    "cntnr_compose.supervisor.main"  # a package above this one: only the new process imports it
)
TITLE = "cntnr supervisor"
_started: list[socket.socket] = []
_starters: list[int] = []  # children that have ended, or are about to


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
    for connection in _started:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()
    for child in _starters:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)
    for gone in (_started, _starters):
        gone.clear()


def _has_socket(project: str) -> bool:
    """Tell whether a project seems to have a supervisor; asking the holder would take longer."""
    socket_path = paths.supervisor_socket(project).relative_to(paths.holder_tmpfs())
    # Path.exists would raise where the holder has just been killed.
    return os.access(paths.holder() / "inside" / socket_path, os.F_OK)


def _start() -> socket.socket:
    runtime = paths.secure_runtime()
    paths.secure_data()
    # Until it knows its project it has no log; errors come over the socket.
    log = str(runtime / "early.log") if os.environ.get("CNTNR_DEBUG") else os.devnull
    our_end, their_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with their_end:
        starter = forks.fork_detached(
            lambda: _serve(their_end), title=TITLE, kept=their_end.fileno(), log=log
        )
    _starters.append(starter)
    return our_end


def _serve(first: socket.socket) -> None:
    """Become a supervisor, which gets its first request by a socket."""
    os.environ["PATH"] = process.search_path()
    os.environ.pop("NOTIFY_SOCKET", None)  # the service manager awaits nothing of a supervisor
    __import__(SUPERVISOR)
    sys.modules[SUPERVISOR].main(first)
