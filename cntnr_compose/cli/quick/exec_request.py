"""Have a supervisor prepare a process of a plain `cntnr exec`, without msgspec and asyncio."""

import _json  # what `json` is made of, whose import takes 5 ms
import _socket  # likewise

from cntnr_compose import __version__
from cntnr_compose.core.files import folders, plain_json
from cntnr_compose.host import socket_peer
from cntnr_compose.model.version import PROTOCOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cntnr_compose.core.frozen import Tree

CHUNK = 1 << 16


def prepare(project: str, request: "Tree") -> "Tree":
    """Have a supervisor of our version prepare a process; return its `ExecCommand`.

    Raises `LookupError`, `TypeError` or `ValueError` where it answers otherwise, `OSError`, `CntnrError`.
    """
    path = f"{folders.holder()}/inside/{folders.supervisor_file(project, 'sock')}"
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.connect(path)
        socket_peer.check_own_user(connection, path)
        connection.sendall(f'{{"type":"hello"}}\n{encode({"type": "exec", **request})}\n'.encode())
        received = b""
        while received.count(b"\n") < 2:
            block = connection.recv(CHUNK)
            if not block:
                raise ConnectionError(path)
            received += block
    finally:
        connection.close()
    greeting, reply, _ = received.split(b"\n")
    its = plain_json.parse_tree(greeting)["result"]
    if (its["version"], its["protocol"], its["project"]) != (__version__, PROTOCOL, project):
        raise LookupError(path)
    command: Tree = plain_json.parse_tree(reply)["result"]
    if not {"argv", "spec", "spec_word"} <= set(command):
        raise LookupError(path)
    return command


def encode(value: "str | bool | list[str] | Tree") -> str:
    """Encode a value as JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode(key)}:{encode(value[key])}" for key in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(encode, value)) + "]"
    return _json.encode_basestring(value)
