"""Check the user at the other end of a unix socket (unix(7), SO_PEERCRED)."""

import _socket  # what `socket` is made of, whose import takes 5 ms
import os
import struct

from cntnr_compose.core.errors import CntnrError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class SupportsGetsockopt(Protocol):
        """A socket, or asyncio's wrapper of one."""

        def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes:
            """Read an option."""
            ...


CREDENTIALS = struct.Struct("3i")  # pid, uid, gid


class Stranger(CntnrError):
    """Another user listens on a socket that should be ours."""

    hint = "nothing was sent to it; have the file removed by its owner or an administrator"

    def __init__(self, path: object) -> None:
        super().__init__(f"cannot trust the socket {path}: another user listens on it")


def _credentials(connection: "SupportsGetsockopt") -> tuple[int, int]:
    credentials = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, CREDENTIALS.size)
    pid, uid, _ = CREDENTIALS.unpack(credentials)
    return int(pid), int(uid)


def peer_pid(connection: "SupportsGetsockopt") -> int:
    """Return the pid at the other end; 0 where the process has none in this pid namespace."""
    return _credentials(connection)[0]


def is_own_user(connection: "SupportsGetsockopt") -> bool:
    """Check whether the process at the other end is of this user."""
    return _credentials(connection)[1] == os.getuid()


def check_own_user(connection: "SupportsGetsockopt", path: object) -> None:
    """Raise `Stranger` where another user is at the other end; call it before anything is sent."""
    if not is_own_user(connection):
        raise Stranger(path)
