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


class HasOptions(Protocol):
    """A socket, or what asyncio shows of one."""

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes:
        """Read an option."""
        ...


def is_ours(wire: HasOptions) -> bool:
    """Tell whether the process at the other end is this user's own."""
    told = wire.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    _, uid, _ = CREDENTIALS.unpack(told)
    return bool(uid == os.getuid())


def check(wire: HasOptions, path: object) -> None:
    """Raise `Stranger` where another user is at the other end, before a byte is sent to him."""
    if not is_ours(wire):
        raise Stranger(path)
