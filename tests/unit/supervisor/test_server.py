"""The end of a supervisor."""

import asyncio
import contextlib
import socket
from types import SimpleNamespace
from typing import Any, cast

from cntnr_compose.supervisor.server import Supervisor


def test_nobody_is_let_in_once_a_command_was_told_of_the_end() -> None:
    async def run() -> None:
        supervisor = Supervisor(cast("Any", None), contextlib.ExitStack())
        supervisor._supervised = cast("Any", SimpleNamespace(is_idle=True))
        asking, other = cast("Any", "asking"), cast("Any", "other")
        for command in (asking, other):
            supervisor._sessions[command] = cast("Any", SimpleNamespace(keeps_supervisor=True))
        assert not supervisor._begin_shut_down(), "another command is connected"
        del supervisor._sessions[other]
        assert supervisor._begin_shut_down()
        ours, theirs = socket.socketpair()
        with ours:
            ours.setblocking(False)
            supervisor._accept(*await asyncio.open_connection(sock=theirs))
            assert set(supervisor._sessions) == {asking}
            received = asyncio.get_running_loop().sock_recv(ours, 1)
            assert await asyncio.wait_for(received, 2) == b""

    asyncio.run(run())
