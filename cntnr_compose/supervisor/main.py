"""The process that looks after one project: answers commands, probes, restarts, rotates logs.

It is started by a command that does not know the project yet (`client.prestart`), enters the holder,
and becomes that project's supervisor when it is told so. It may die at any moment: the containers go
on, and the next command starts another one, which adopts them.
"""

import contextlib
import os
import signal
import socket
import sys

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host.namespaces import holder, rootlesskit


def main() -> None:
    """Run a supervisor on the socket whose descriptor is the first argument."""
    first = socket.socket(fileno=int(sys.argv[1]))
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    claims = contextlib.ExitStack()
    try:
        held = _join_holder(claims)
    except CntnrError as error:
        _report_failure(first, error)
        return
    # Only children are in the holder's pid namespace, where the containers' pids mean something. A child
    # of a child, since the namespace can end only when all in it are reaped: the holder does that at once,
    # the host's init, which would inherit a child, when it pleases.
    child = os.fork()
    if child != 0:
        os.waitpid(child, 0)
        os._exit(0)
    if os.fork() != 0:
        os._exit(0)
    _serve(first, held, claims)


def _join_holder(claims: contextlib.ExitStack) -> holder.NamespaceHolder:
    """Join the holder; the rest of this program is read while it starts."""
    held = claims.enter_context(
        rootlesskit.running_holder("supervisor", while_starting=_import_server)
    )
    _import_server()
    holder.join_namespaces(held)
    _bind_port_driver_socket()
    return held


def _bind_port_driver_socket() -> None:
    """Show the port driver's socket inside the holder, where it stays whatever happens to its folder."""
    from cntnr_compose.host import mounts
    from cntnr_compose.networks import port_driver as ports

    place = ports.socket_path()
    if not place.exists():
        place.touch()
        mounts.bind_mount(paths.holder() / "api.sock", place)


def _import_server() -> None:
    # Nothing here speaks TLS, and asyncio does without: 7 ms and 3 MB for every project.
    sys.modules.setdefault("ssl", None)  # type: ignore[arg-type]
    import cntnr_compose.supervisor.server  # noqa: F401


def _report_failure(first: socket.socket, error: CntnrError) -> None:
    """Tell the command why there is no supervisor, once it asks for one."""
    from cntnr_compose.core.values import to_json
    from cntnr_compose.model.protocol import ErrorReply

    with contextlib.suppress(OSError), first:
        if first.recv(1 << 16):
            said = ErrorReply.from_error(error)
            first.sendall(to_json(said) + b"\n")


def _serve(
    first: socket.socket, held: holder.NamespaceHolder, claims: contextlib.ExitStack
) -> None:
    from cntnr_compose.supervisor import server as duty

    try:
        duty.run(first, held, claims)
    finally:
        claims.close()
        rootlesskit.stop_from_inside(held.payload)
        os._exit(0)
