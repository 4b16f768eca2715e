"""Requests of one session: a hang-up cancels them; requests that cannot be; the change lock."""

import asyncio
import contextlib
import errno
import os
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from cntnr_compose.core import paths
from cntnr_compose.core.events import ContainerEvent
from cntnr_compose.core.values import from_json, from_tree, replace, to_json
from cntnr_compose.model.protocol import (
    ErrorReply,
    EventReply,
    Greeting,
    HoldContainers,
    Lock,
    Ping,
    Reply,
    Request,
    ResultReply,
    Shutdown,
    Subscribe,
    compare_age,
)
from cntnr_compose.supervisor import session as session_module
from cntnr_compose.supervisor.project import SupervisedProject
from cntnr_compose.supervisor.session import ClientSession, build_error_reply

EVENT = ContainerEvent(action="start", time=1, id="a", name="web-1", service="web")


class FakeContext:
    project = "p"

    def __init__(self) -> None:
        self.subscribers: list[Callable[[ContainerEvent], None]] = []
        self.history: list[ContainerEvent] = []
        self.containers: dict[str, FakeContainer] = {}


class FakeContainer:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def hold(self, *, paused: bool) -> AsyncIterator[None]:
        assert not paused
        async with self.lock:
            yield


class Command:
    """Stand in for a command at the other end of a session."""

    def __init__(self, wire: socket.socket, served: "asyncio.Task[bool]") -> None:
        self.wire, self.served = wire, served

    def ask(self, request: Request) -> None:
        self.wire.sendall(to_json(request) + b"\n")

    async def reply(self) -> Reply:
        line = b""
        while not line.endswith(b"\n"):
            byte = await asyncio.get_running_loop().sock_recv(self.wire, 1)
            assert byte, "the session has ended"
            line += byte
        return from_json(line, cast("type[Reply]", Reply))


@contextlib.asynccontextmanager
async def command(project: SupervisedProject) -> AsyncIterator[Command]:
    client_end, server_end = socket.socketpair()
    client_end.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=server_end)
    session = ClientSession(project, reader, writer, lambda: True)

    async def serve() -> bool:
        try:
            await session.serve()
        except ConnectionError:
            pass
        finally:
            await session.release_containers()
            session.release_lock()
            writer.close()
        return session.shuts_down

    task = asyncio.create_task(serve())
    try:
        yield Command(client_end, task)
    finally:
        client_end.close()
        await asyncio.wait_for(task, 2)


def play(scenario: Callable[[SupervisedProject], Any]) -> None:
    async def run() -> None:
        await scenario(SupervisedProject(cast("Any", FakeContext())))

    asyncio.run(run())


async def until(met: Callable[[], Any]) -> None:
    async with asyncio.timeout(2):
        while not met():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("unread", [0, 1])
def test_a_hang_up_cancels_the_request_also_with_unread_events(unread: int) -> None:
    async def scenario(project: SupervisedProject) -> None:
        async with command(project) as client:
            client.ask(Subscribe())
            await until(lambda: project.context.subscribers)
            for _ in range(unread):
                project.context.subscribers[0](EVENT)
            await asyncio.sleep(0.01)
            client.wire.close()
            await until(lambda: not project.context.subscribers)

    play(scenario)


def test_a_hang_up_releases_the_lock_and_who_waits_is_warned() -> None:
    async def scenario(project: SupervisedProject) -> None:
        async with command(project) as first, command(project) as second:
            first.ask(Lock(what="up"))
            assert isinstance(await first.reply(), ResultReply)
            second.ask(Lock(what="down"))
            reply = await second.reply()
            assert isinstance(reply, EventReply)
            assert reply.event.text == "waiting for `up`, which is at work on project p"  # type: ignore[union-attr]
            first.wire.close()
            assert isinstance(await second.reply(), ResultReply)

    play(scenario)


def test_containers_are_held_until_the_hang_up() -> None:
    async def scenario(project: SupervisedProject) -> None:
        containers = {name: FakeContainer() for name in "abc"}
        project.context.containers = cast("Any", containers)
        async with command(project) as first, command(project) as second:
            first.ask(HoldContainers(names=("b", "a")))
            assert isinstance(await first.reply(), ResultReply)
            assert [each.lock.locked() for each in containers.values()] == [True, True, False]
            second.ask(HoldContainers(names=("c", "b")))
            first.ask(HoldContainers(names=("nosuch",)))
            refused = await first.reply()
            assert isinstance(refused, ErrorReply)
            assert refused.message == "No such container: nosuch"
            first.wire.close()
            assert isinstance(await second.reply(), ResultReply)
        assert not any(each.lock.locked() for each in containers.values())

    play(scenario)


def test_a_command_that_hangs_up_while_waiting_never_gets_the_lock() -> None:
    async def scenario(project: SupervisedProject) -> None:
        async with command(project) as first, command(project) as third:
            first.ask(Lock(what="up"))
            await first.reply()
            async with command(project) as second:
                second.ask(Lock(what="down"))
                await second.reply()
            first.wire.close()
            third.ask(Lock(what="stop"))
            while not isinstance(await third.reply(), ResultReply):
                pass

    play(scenario)


def test_a_supervisor_is_shut_down_by_the_command_that_asks_for_it() -> None:
    async def scenario(project: SupervisedProject) -> None:
        async with command(project) as client:
            client.ask(Shutdown())
            reply = await client.reply()
            assert isinstance(reply, ResultReply)
            assert reply.result == {"ended": True}
            assert await client.served

    play(scenario)


def test_requests_sent_ahead_are_answered_in_order() -> None:
    async def scenario(project: SupervisedProject) -> None:
        async with command(project) as client:
            for _ in range(3):
                client.ask(Ping())
            for _ in range(3):
                reply = await client.reply()
                assert isinstance(reply, ResultReply)
                assert reply.result["project"] == "p"

    play(scenario)


def test_a_full_disk_is_no_bug() -> None:
    reply = build_error_reply(OSError(errno.ENOSPC, "No space left on device"), "p")
    assert (reply.error, reply.exit_code) == ("DiskFull", 1)
    assert reply.message == f"cannot write to {paths.data()}: no space is left on the disk"


def test_a_file_of_ours_that_cannot_be_written_is_no_bug() -> None:
    ours = paths.data() / "volumes"
    reply = build_error_reply(PermissionError(errno.EACCES, "Permission denied", str(ours)), "p")
    assert reply.message == f"cannot write to {ours}: Permission denied"
    elsewhere = PermissionError(errno.EACCES, "Permission denied", str(Path("/etc/shadow")))
    assert build_error_reply(elsewhere, "p").error == "Internal"


def test_who_asks_for_what_is_not_known_here_is_told_so_and_served_on() -> None:
    async def scenario(project: SupervisedProject) -> None:
        async with command(project) as client:
            for request in (b'{"type":"dance"}\n', b"nonsense\n"):
                client.wire.sendall(request)
                reply = await client.reply()
                assert isinstance(reply, ErrorReply)
                assert reply.error == "RequestUnknown"
                assert "does not understand" in reply.message
            client.ask(Ping())
            reply = await client.reply()
            assert isinstance(reply, ResultReply)
            greeting = from_tree(reply.result, Greeting)
            assert (greeting.pid, greeting.project, compare_age(greeting)) == (
                os.getpid(),
                "p",
                "same",
            )

    play(scenario)


def test_a_subscription_begins_with_what_is_known_of_its_time() -> None:
    async def scenario(project: SupervisedProject) -> None:
        project.context.history += [replace(EVENT, time=moment) for moment in (1, 2, 3)]
        async with command(project) as client:
            client.ask(Subscribe(since=2))
            await until(lambda: project.context.subscribers)
            project.context.subscribers[0](replace(EVENT, time=4))
            replies = [await client.reply() for _ in range(3)]
            assert [reply.event.time for reply in replies] == [2, 3, 4]  # type: ignore[union-attr]

    play(scenario)


@pytest.mark.parametrize("left", [-1000, 0.2])
def test_a_subscription_ends_at_its_time(left: float) -> None:
    async def scenario(project: SupervisedProject) -> None:
        end = time.time() + left
        project.context.history += [replace(EVENT, time=end - 1), replace(EVENT, time=end + 1)]
        async with command(project) as client:
            client.ask(Subscribe(since=1, until=end))
            first, second = await client.reply(), await client.reply()
            assert isinstance(first, EventReply)
            assert first.event.time == end - 1  # type: ignore[union-attr]
            assert isinstance(second, ResultReply)
            assert time.time() >= end
            assert not project.context.subscribers

    play(scenario)


def test_events_that_nobody_reads_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "MAX_UNREAD", 100_000)

    async def scenario(project: SupervisedProject) -> None:
        async with command(project) as client:
            client.ask(Subscribe())
            await until(lambda: project.context.subscribers)
            forward = project.context.subscribers[0]
            for _ in range(20):
                forward(replace(EVENT, labels={"long": "x" * 100_000}))
            await until(lambda: not project.context.subscribers)

    play(scenario)
