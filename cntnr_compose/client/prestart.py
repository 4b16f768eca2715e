"""A supervisor that is started before it is known which project it is for, to save the time of reading.

Light: what this module imports delays the start.
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
    """Start a supervisor, unless the project's likely name has one already."""
    if not _started and not _has_socket(likely_project_name(name, environ, cwd)):
        _started.append(_start())


def take() -> socket.socket:
    """Give the way to the supervisor that was started early, else to a new one."""
    return _started.pop() if _started else _start()


def discard() -> None:
    """Send a supervisor that was started early and is not needed away."""
    while _started:
        wire = _started.pop()
        with contextlib.suppress(OSError):
            wire.shutdown(socket.SHUT_RDWR)
        wire.close()


def _has_socket(project: str) -> bool:
    """Tell whether a project has a supervisor, as far as a glance tells: `holder.find` takes longer."""
    place = paths.supervisor_socket(project).relative_to(paths.holder_tmpfs())
    # Path.exists would raise where the holder has just been killed.
    return os.access(paths.holder() / "inside" / place, os.F_OK)


def _start() -> socket.socket:
    runtime = paths.secure_runtime()
    paths.secure_data()
    # Until it knows its project it has no log; what goes wrong it says over the socket.
    early = runtime / "early.log" if os.environ.get("CNTNR_DEBUG") else Path(os.devnull)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with theirs, Path(os.devnull).open("rb") as nothing, early.open("ab") as out:
        process.popen(
            [sys.executable, "-P", "-c", SUPERVISOR_CODE, str(theirs.fileno())],
            env={**os.environ, "PATH": process.search_path()},
            stdin=nothing.fileno(),
            stdout=out.fileno(),
            stderr=out.fileno(),
            pass_fds=(theirs.fileno(),),
            new_session=True,
            cwd="/",
        )
    return ours
