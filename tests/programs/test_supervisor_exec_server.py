"""Processes of plain `exec`s: what a supervisor takes over, with which streams, and what it answers."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cntnr_compose.containers.exec import TELL_EXIT_CODE
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import from_json, to_json
from cntnr_compose.host.children import spawn
from cntnr_compose.model.protocol import HandedExec, HandedExecEnd, PrepareExec
from cntnr_compose.model.version import HANDED_VERSION
from cntnr_compose.supervisor import exec_server

REQUEST = HandedExec(
    version=HANDED_VERSION,
    project="shop",
    process=PrepareExec(container="shop-web-1", command=("id",)),
)
Talk = Callable[[socket.socket], None]


def web(state: str = "running") -> Any:
    return SimpleNamespace(
        status=SimpleNamespace(state=state), record=SimpleNamespace(runtime="runc")
    )


class Runtime:
    """A shell in place of a runtime."""

    def __init__(self, script: str = "cat; echo said >&2; exit 7") -> None:
        self.script = script
        self.error: Exception | None = None
        self.started = 0

    def start(
        self, _context: Any, _record: Any, request: Any, streams: tuple[int, int, int], teller: int
    ) -> spawn.Child:
        assert request == REQUEST.process
        self.started += 1
        if self.error is not None:
            raise self.error
        child, pipe = spawn.spawn_with_pipe(
            ["sh", "-c", TELL_EXIT_CODE, "sh", "sh", "-c", self.script],
            "",
            streams=(*streams, teller),
            leads_group=True,
        )
        os.close(pipe)
        return child


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Runtime:
    shell = Runtime()
    monkeypatch.setattr(exec_server, "start_exec", shell.start)
    monkeypatch.setattr(exec_server.oci_runtime, "is_crun", lambda name: name == "crun")
    return shell


def serve(folder: Path, talk: Talk, container: Any = None) -> None:
    """Serve a project with a container while a command talks to it in a thread."""
    context = SimpleNamespace(
        project="shop", containers={"shop-web-1": web() if container is None else container}
    )
    path = folder / "shop.exec"

    def connect() -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.settimeout(5)
            connection.connect(str(path))
            talk(connection)

    async def run() -> None:
        with exec_server.ExecServer(cast("Any", context)).listen(path):
            assert path.stat().st_mode & 0o077 == 0
            await asyncio.to_thread(connect)

    asyncio.run(run())


def ask(
    connection: socket.socket, message: bytes = to_json(REQUEST), count: int = 3, stdin: bytes = b""
) -> tuple[int | None, bytes]:
    """Hand a process over; return the code that is told, and what was written."""
    inner, our_input = os.pipe()
    our_output, outer = os.pipe()
    os.write(our_input, stdin)
    os.close(our_input)
    socket.send_fds(connection, [message], [inner, outer, outer][:count])
    os.close(inner)
    os.close(outer)
    end = from_json(connection.recv(1 << 12), HandedExecEnd)
    with os.fdopen(our_output, "rb") as output:
        return end.code, output.read()


def test_a_process_gets_the_streams_and_its_code_is_told(tmp_path: Path, runtime: Runtime) -> None:
    answers = []
    serve(tmp_path, lambda connection: answers.append(ask(connection, stdin=b"typed\n")))
    assert answers == [(7, b"typed\nsaid\n")]
    assert runtime.started == 1


@pytest.mark.parametrize(
    ("message", "count", "container"),
    [
        (b"{", 3, web()),
        (to_json(REQUEST), 2, web()),
        (to_json(REQUEST).replace(HANDED_VERSION.encode(), b"9.0/99"), 3, web()),
        (to_json(REQUEST).replace(b'"shop"', b'"other"'), 3, web()),
        (to_json(REQUEST).replace(b"shop-web-1", b"shop-db-1"), 3, web()),
        (to_json(REQUEST), 3, web("paused")),
        (to_json(REQUEST), 3, web("exited")),
    ],
)
def test_what_is_not_plain_is_not_taken(
    tmp_path: Path, runtime: Runtime, message: bytes, count: int, container: Any
) -> None:
    answers = []
    serve(tmp_path, lambda connection: answers.append(ask(connection, message, count)), container)
    assert answers == [(None, b"")]
    assert runtime.started == 0


@pytest.mark.parametrize("error", [CntnrError("no such user"), FileNotFoundError("config.json")])
def test_a_process_that_cannot_be_prepared_is_for_the_ordinary_way(
    tmp_path: Path, runtime: Runtime, error: Exception
) -> None:
    runtime.error = error
    answers = []
    serve(tmp_path, lambda connection: answers.append(ask(connection)))
    assert answers == [(None, b"")]


def test_a_terminal_is_not_given_to_a_program_under_crun(tmp_path: Path, runtime: Runtime) -> None:
    container = web()
    container.record.runtime = "crun"
    ends = []

    def talk(connection: socket.socket) -> None:
        ours, theirs = os.openpty()
        socket.send_fds(connection, [to_json(REQUEST)], [theirs] * 3)
        ends.append(from_json(connection.recv(1 << 12), HandedExecEnd).code)
        os.close(ours)
        os.close(theirs)

    serve(tmp_path, talk, container)
    assert ends == [None]
    assert runtime.started == 0


def test_signals_of_a_terminal_are_passed_on(tmp_path: Path, runtime: Runtime) -> None:
    runtime.script = "trap 'echo interrupted; exit' INT; echo ready; while :; do sleep 0.01; done"
    said = []

    def talk(connection: socket.socket) -> None:
        our_output, outer = os.pipe()
        with Path("/dev/null").open() as null:
            socket.send_fds(connection, [to_json(REQUEST)], [null.fileno(), outer, outer])
        os.close(outer)
        assert os.read(our_output, 10) == b"ready\n"
        for number in (0, signal.SIGKILL, signal.SIGINT):  # the last of which is one
            connection.send(bytes([number]))
        with os.fdopen(our_output, "rb") as output:
            said.append(output.read())
        assert connection.recv(1 << 12) == b""  # it has ended the shell that would tell the code

    serve(tmp_path, talk)
    assert said == [b"interrupted\n"]


def test_a_process_goes_on_when_its_command_is_gone(tmp_path: Path, runtime: Runtime) -> None:
    runtime.script = f"echo ready; read go; echo went on >{tmp_path}/done"
    inner, our_input = os.pipe()

    def talk(connection: socket.socket) -> None:
        our_output, outer = os.pipe()
        socket.send_fds(connection, [to_json(REQUEST)], [inner, outer, outer])
        os.close(inner)
        os.close(outer)
        assert os.read(our_output, 10) == b"ready\n"
        connection.close()
        os.write(our_input, b"\n")
        os.close(our_input)
        os.read(our_output, 10)  # until it has ended
        os.close(our_output)

    serve(tmp_path, talk)
    assert (tmp_path / "done").read_text() == "went on\n"
