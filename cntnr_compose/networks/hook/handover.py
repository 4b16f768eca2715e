"""Get the namespaces of a container that is being created: opened in /proc, or passed by a hook inside.

crun lets nobody see those of a process that is not the image's yet. So a second hook, which runs inside,
passes them over a socket in the bundle, and waits until the container is connected.
"""

import contextlib
import json
import os
import select
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen, Tree
from cntnr_compose.networks.hook.bundle_folder import BundleFolder

if TYPE_CHECKING:
    import socket

SOCKET = "join.sock"
TIMEOUT = 60.0  # seconds; whoever connects the container has limits of its own
MAX_REPLY = 64 << 10


class NamespacesClosed(CntnrError):
    """The namespaces of a container cannot be opened, and no hook passes them."""

    hint = (
        "let config.json have `cntnr-hook net join` as a createContainer hook, too, or use runc;"
        " `cntnr bundle create` writes both"
    )

    def __init__(self, pid: int, why: str) -> None:
        super().__init__(f"cannot open the namespaces of process {pid}: {why}")


class ConnectionFailed(CntnrError):
    """Who connects the container has failed, or does not answer."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.hint = hint


class Namespaces(Frozen):
    """Descriptors of a container's user and network namespace."""

    user: int
    network: int


@contextlib.contextmanager
def open_namespaces(pid: int) -> Iterator[Namespaces]:
    """Open the namespaces of a process; this one's own where ``pid`` is 0. Raises `OSError`."""
    with contextlib.ExitStack() as stack:
        descriptors = []
        for kind in ("user", "net"):
            descriptor = os.open(f"/proc/{pid or 'self'}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, descriptor)
            descriptors.append(descriptor)
        yield Namespaces(user=descriptors[0], network=descriptors[1])


@contextlib.contextmanager
def _inside(folder: BundleFolder) -> Iterator[None]:
    """Change to a folder meanwhile: paths of sockets have 107 bytes at most."""
    before = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.chdir(folder.path)
        yield
    finally:
        os.fchdir(before)
        os.close(before)


def connect_socket(folder: BundleFolder, name: str) -> "socket.socket":
    """Connect to a socket in a folder of a bundle. Raises `OSError`."""
    import socket  # the start of the hook need not wait for it

    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(TIMEOUT)
    try:
        with _inside(folder):
            client.connect(name)
    except BaseException:
        client.close()
        raise
    return client


def listen(folder: BundleFolder) -> "socket.socket":
    """Make the socket at which the hook inside is waited for."""
    import socket

    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _inside(folder):
            server.bind(SOCKET)
            os.chmod(SOCKET, 0o600)  # noqa: PTH101 - relative to the folder
        server.listen(1)
    except BaseException:
        server.close()
        raise
    return server


@contextlib.contextmanager
def receive(
    server: "socket.socket", pid: int
) -> "Iterator[tuple[socket.socket, Namespaces] | None]":
    """Wait for the hook inside a container; yield its connection and namespaces.

    Yield None where the container ends first, or nobody comes.
    """
    import socket

    with contextlib.ExitStack() as stack:
        try:
            container = os.pidfd_open(pid)
        except OSError:
            yield None
            return
        stack.callback(os.close, container)
        readable, _, _ = select.select([server.fileno(), container], [], [], TIMEOUT)
        if server.fileno() not in readable:
            yield None
            return
        client, _ = server.accept()
        stack.enter_context(client)
        client.settimeout(TIMEOUT)
        _, descriptors, _, _ = socket.recv_fds(client, 1, 2)
        for descriptor in descriptors:
            stack.callback(os.close, descriptor)
        if len(descriptors) != 2:
            yield None
            return
        yield client, Namespaces(user=descriptors[0], network=descriptors[1])


def reply(client: "socket.socket", error: CntnrError | None) -> None:
    """Tell the hook inside how it went."""
    tree = {"error": str(error), "hint": error.hint} if error else {}
    with contextlib.suppress(OSError):
        client.sendall(json.dumps(tree).encode())


def read_answer(client: "socket.socket") -> Tree | None:
    """Read a JSON object up to the end of a connection; None where there is none. Raises `OSError`."""
    answer = b""
    while len(answer) < MAX_REPLY and (more := client.recv(4096)):
        answer += more
    try:
        tree = json.loads(answer)
    except ValueError:
        return None
    return tree if isinstance(tree, dict) else None


def pass_own(folder: BundleFolder) -> None:
    """Pass the namespaces of this process, which is inside, and wait until the container is connected.

    Raises `ConnectionFailed`.
    """
    import socket

    try:
        with connect_socket(folder, SOCKET) as client, open_namespaces(0) as own:
            socket.send_fds(client, [b"n"], [own.user, own.network])
            tree = read_answer(client)
    except OSError as error:
        why = f"cannot ask to be connected to networks: {error.strerror or error}"
        raise ConnectionFailed(why) from None
    if tree is None:
        tree = {"error": "who connects the container to networks was killed"}
    if tree.get("error"):
        raise ConnectionFailed(str(tree["error"]), str(tree.get("hint", "")))
