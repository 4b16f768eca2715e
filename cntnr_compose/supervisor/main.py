"""Process entry of a supervisor: join the namespaces of the holder, then serve one project.

A command starts it before the project is known (`client.prestart`), and names the project with its first
request. A supervisor may die at any moment: containers go on, and the next command starts another one, which
adopts them.
"""

import contextlib
import gc
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host.namespaces import rootlesskit
from cntnr_compose.host.namespaces.holder import NamespaceHolder, join_namespaces

if TYPE_CHECKING:
    from cntnr_compose.host.systemd.scope import ScopeEntry

GARBAGE_THRESHOLD = 700  # Python's own, which short commands increase


def main(first: socket.socket) -> None:
    """Run a supervisor, which gets its first request by a socket."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    holder_lock = contextlib.ExitStack()
    try:
        holder = _join_holder(holder_lock)
    except CntnrError as error:
        _report_failure(first, error)
        return
    # Only a child is in the holder's pid namespace, where containers are. It has to be a grandchild: the
    # namespace ends when all in it are reaped. The holder reaps orphans at once; the host's init, some time.
    child = os.fork()
    if child != 0:
        os.waitpid(child, 0)
        os._exit(0)
    if os.fork() != 0:
        os._exit(0)
    _serve(first, holder, holder_lock)


def _join_holder(holder_lock: contextlib.ExitStack) -> NamespaceHolder:
    """Join the holder's namespaces; the rest of this program is imported while the holder starts.

    systemd moves this process into its scope meanwhile.
    """
    from cntnr_compose.host.systemd import scope

    entries: list[ScopeEntry] = []
    holder = holder_lock.enter_context(
        rootlesskit.running_holder(
            "supervisor", while_starting=lambda: entries.append(_begin_entry(os.getpid()))
        )
    )
    entry = entries[0] if entries else _begin_entry(holder.parent)
    if entry.finish():
        scope.keep_holder()
    join_namespaces(holder)
    _bind_port_driver_socket()
    return holder


def _begin_entry(pinned_by: int) -> "ScopeEntry":
    """Ask for the scope in which containers have their groups, and import the rest of this program."""
    from cntnr_compose.host.systemd import scope

    entry = scope.begin_entry(pinned_by)
    _import_server()
    return entry


def _bind_port_driver_socket() -> None:
    """Bind the port driver's socket into the holder, where it stays whatever happens to its folder."""
    from cntnr_compose.host import mounts
    from cntnr_compose.networks import port_driver

    path = port_driver.socket_path()
    if not path.exists():
        path.touch()
        mounts.bind_mount(paths.holder() / "api.sock", path)


def _import_server() -> None:
    # Nothing here speaks TLS, and asyncio does without: 7 ms and 3 MB for every project.
    sys.modules.setdefault("ssl", None)  # type: ignore[arg-type]
    import cntnr_compose.supervisor.server  # noqa: F401
    from cntnr_compose.core.values import prepare
    from cntnr_compose.model.protocol import Request

    prepare(Request)


def _report_failure(first: socket.socket, error: CntnrError) -> None:
    """Answer the first request of the command with the error that kept this process from starting."""
    from cntnr_compose.core.values import to_json
    from cntnr_compose.model.protocol import ErrorReply

    with contextlib.suppress(OSError), first:
        if first.recv(1 << 16):
            first.sendall(to_json(ErrorReply.from_error(error)) + b"\n")


def _serve(
    first: socket.socket, holder: NamespaceHolder, holder_lock: contextlib.ExitStack
) -> None:
    from cntnr_compose.supervisor import server

    gc.freeze()  # all that was imported stays
    gc.set_threshold(GARBAGE_THRESHOLD)
    try:
        server.run(first, holder, holder_lock)
    finally:
        holder_lock.close()
        rootlesskit.stop_from_inside(holder.payload)
        os._exit(0)
