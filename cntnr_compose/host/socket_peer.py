"""Who is at the other end of a unix socket (unix(7), SO_PEERCRED)."""

import os
import socket
import struct
from typing import Protocol

from cntnr_compose.core.errors import CntnrError

CREDENTIALS = struct.Struct("3i")  # pid, uid, gid


class Stranger(CntnrError):
    """Another user listens on a socket that is to be ours."""

    hint = "nothing was sent to it; have the file removed by its owner or an administrator"

    def __init__(self, path: object) -> None:
        super().__init__(f"cannot trust the socket {path}: another user listens on it")


class SupportsGetsockopt(Protocol):
    """A socket, or what asyncio shows of one."""

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes:
        """Read an option."""
        ...


def _credentials(wire: SupportsGetsockopt) -> tuple[int, int]:
    told = wire.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    pid, uid, _ = CREDENTIALS.unpack(told)
    return int(pid), int(uid)


def pid(wire: SupportsGetsockopt) -> int:
    """Give the pid of who listens, or connected, at the other end; 0 where it has none in this namespace."""
    return _credentials(wire)[0]


def is_own_user(wire: SupportsGetsockopt) -> bool:
    """Tell whether the process at the other end is this user's own."""
    return _credentials(wire)[1] == os.getuid()


def check_own_user(wire: SupportsGetsockopt, path: object) -> None:
    """Raise `Stranger` where another user is at the other end, before a byte is sent to him."""
    if not is_own_user(wire):
        raise Stranger(path)
