"""One command's connection to a supervisor: what it asks, its turn, and that it hung up."""

import asyncio
import contextlib
import os
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, cast

from cntnr_compose.containers import exec as programs
from cntnr_compose.containers.state import records
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import ContainerEvent, Event, WarningEvent
from cntnr_compose.core.values import Tree, from_json, replace, to_json, to_tree
from cntnr_compose.model.plan import CreateContainer
from cntnr_compose.model.protocol import (
    OURS,
    ErrorReply,
    EventReply,
    ExecutePlan,
    Lock,
    Observe,
    Ping,
    PrepareExec,
    Reply,
    Request,
    ResultReply,
    Serve,
    Shutdown,
    Subscribe,
    Unlock,
)
from cntnr_compose.supervisor import plan_executor as executor

if TYPE_CHECKING:
    from cntnr_compose.supervisor.server import Duty


class Internal(CntnrError):
    """A bug of ours, as far as a command can be told of it."""

    exit_code = 70

    def __init__(self, error: BaseException, where: Path) -> None:
        super().__init__(f"internal error in the supervisor: {type(error).__name__}: {error}")
        self.hint = f"this is a bug; the traceback is in {where}"


class RequestUnknown(CntnrError):
    """A command of another version asks for what this supervisor does not know."""

    hint = "use the cntnr that the project was brought up with, or a newer one"

    def __init__(self, error: ValueError) -> None:
        super().__init__(f"the supervisor ({OURS}) does not understand the request: {error}")


class Line:
    """One command's connection."""

    def __init__(
        self, duty: "Duty", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._duty = duty
        self._reader = reader
        self._writer = writer
        self._has_turn = False
        self._is_complete = False  # whether networks were looked at in this turn
        self._made: set[str] = set()  # containers that are removed when they have run
        self._ahead = b""  # read while waiting for something else

    async def answer(self) -> None:
        while line := self._ahead + await self._reader.readline():
            self._ahead = b""
            try:
                request = from_json(line, cast("type[Request]", Request))
            except ValueError as error:
                await say(self._writer, failed(RequestUnknown(error), self._duty.scene.project))
                continue
            reply = await self._or_hung_up(request)
            if reply is None:
                return
            await say(self._writer, reply)
            if (
                isinstance(request, Shutdown)
                and isinstance(reply, ResultReply)
                and reply.result["ended"]
            ):
                self._duty.end(self._writer)
                return

    async def _or_hung_up(self, request: Request) -> Reply | None:
        """Do what was asked; None where the command hung up before it was done."""
        work = asyncio.create_task(self._do(request))
        ahead = asyncio.create_task(self._byte())
        await asyncio.wait({work, ahead}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done() and (byte := ahead.result()):
            self._ahead = byte  # it asks for more before it has its answer: that can wait
            await work
        if not work.done():
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
            return None
        ahead.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            self._ahead = self._ahead or await ahead
        return work.result()

    async def _byte(self) -> bytes:
        """Wait for a byte; there is none where the command hung up."""
        try:
            return await self._reader.read(1)
        except ConnectionError:  # it did so with events unread (unix(7))
            return b""

    async def _do(self, request: Request) -> Reply:
        try:
            return ResultReply(result=await self._result(request))
        except Exception as error:  # noqa: BLE001 - the command is told, and the others are served
            return failed(error, self._duty.scene.project)

    async def _result(self, request: Request) -> Tree:
        duty = self._duty
        match request:
            case Ping():
                return greeting(duty.scene.project)
            case Lock(what=what):
                await self._begin(what)
            case Unlock():
                self.end_turn()
            case Observe():
                return cast("Tree", to_tree(duty.observe()))
            case ExecutePlan():
                return await self._execute(request)
            case PrepareExec(container=name):
                keeper = duty.scene.keepers.get(name)
                if keeper is None or keeper.status.state != "running":
                    raise programs.NotRunning(name)
                return {"argv": programs.lay_out(duty.scene, keeper.record, request)}
            case Subscribe():
                await self._follow()
            case Shutdown():
                return {"ended": duty.may_end()}
            case Serve():
                return {"taken": True}
        return {}

    def _tell(self, event: Event) -> None:
        if not self._writer.is_closing():
            self._writer.write(to_json(EventReply(event=event)) + b"\n")

    async def _begin(self, what: str) -> None:
        duty = self._duty
        if duty.turn.locked():
            text = f"waiting for `{duty.whose}`, which is at work on project {duty.scene.project}"
            self._tell(WarningEvent(text=text))
        await duty.turn.acquire()
        self._has_turn, self._is_complete, duty.whose = True, False, what

    async def leave(self) -> None:
        """Remove what this command made to run once, and did not start."""
        for name in self._made & self._duty.scene.keepers.keys():
            await self._duty.scene.keepers[name].leave()

    def end_turn(self) -> None:
        """Let the next command have its turn."""
        if self._has_turn:
            self._has_turn = False
            self._duty.turn.release()

    async def _execute(self, request: ExecutePlan) -> Tree:
        scene = self._duty.scene
        if request.project is not None:
            scene.intent = request.project
            records.write_intent(request.project)
        self._made |= {
            step.operation.name
            for step in request.plan.steps
            if isinstance(step.operation, CreateContainer) and step.operation.auto_remove
        }
        try:
            if request.project is not None or executor.starts(request.plan):
                await self._complete_networks()
            await executor.carry_out(request.plan, scene, self._tell)
        finally:
            if not scene.keepers:
                records.forget_intent(scene.project)
        return {}

    async def _complete_networks(self) -> None:
        """Look once a turn whether what is written of networks stands: none is believed."""
        if not self._is_complete:
            scene = self._duty.scene
            await scene.networks.complete(scene.networks_used())
            self._is_complete = True

    async def _follow(self) -> None:
        def follower(event: ContainerEvent) -> None:
            self._tell(event)

        self._duty.scene.followers.append(follower)
        try:
            await asyncio.Event().wait()
        finally:
            self._duty.scene.followers.remove(follower)


def greeting(project: str) -> Tree:
    """Say who this supervisor is."""
    return cast("Tree", to_tree(replace(OURS, pid=os.getpid(), project=project)))


def failed(error: Exception, project: str) -> ErrorReply:
    """Say what went wrong in a command's words; the traceback of a bug goes to the log."""
    mistake = error if isinstance(error, CntnrError) else None
    if isinstance(error, OSError):
        mistake = paths.explain_os_error(error)
    if mistake is None:
        traceback.print_exception(error)
        mistake = Internal(error, paths.supervisor_log(project))
    return ErrorReply.of(mistake)


async def say(writer: asyncio.StreamWriter, reply: Reply) -> None:
    """Send a reply."""
    writer.write(to_json(reply) + b"\n")
    await writer.drain()
