"""Check the user at the other end of a unix socket (unix(7), SO_PEERCRED)."""

import os
import socket
import struct
from typing import Protocol

from cntnr_compose.core.errors import CntnrError

CREDENTIALS = struct.Struct("3i")  # pid, uid, gid


class Stranger(CntnrError):
    """Another user listens on a socket that should be ours."""

    hint = "nothing was sent to it; have the file removed by its owner or an administrator"

    def __init__(self, path: object) -> None:
        super().__init__(f"cannot trust the socket {path}: another user listens on it")


class SupportsGetsockopt(Protocol):
    """A socket, or asyncio's wrapper of one."""

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes:
        """Read an option."""
        ...


def _credentials(connection: SupportsGetsockopt) -> tuple[int, int]:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    pid, uid, _ = CREDENTIALS.unpack(credentials)
    return int(pid), int(uid)


def peer_pid(connection: SupportsGetsockopt) -> int:
    """Return the pid at the other end; 0 where the process has none in this pid namespace."""
    return _credentials(connection)[0]


def is_own_user(connection: SupportsGetsockopt) -> bool:
    """Check whether the process at the other end is of this user."""
    return _credentials(connection)[1] == os.getuid()


def check_own_user(connection: SupportsGetsockopt, path: object) -> None:
    """Raise `Stranger` where another user is at the other end; call it before anything is sent."""
    if not is_own_user(connection):
        raise Stranger(path)
