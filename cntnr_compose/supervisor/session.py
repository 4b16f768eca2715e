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
    OWN_GREETING,
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
    from cntnr_compose.supervisor.server import Supervisor


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
        super().__init__(
            f"the supervisor ({OWN_GREETING}) does not understand the request: {error}"
        )


class ClientSession:
    """One command's connection."""

    def __init__(
        self, duty: "Supervisor", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._supervisor = duty
        self._reader = reader
        self._writer = writer
        self._holds_lock = False
        self._networks_checked = False  # whether networks were looked at in this turn
        self._auto_removed: set[str] = set()  # containers that are removed when they have run
        self._read_ahead = b""  # read while waiting for something else

    async def serve(self) -> None:
        while line := self._read_ahead + await self._reader.readline():
            self._read_ahead = b""
            try:
                request = from_json(line, cast("type[Request]", Request))
            except ValueError as error:
                await send_reply(
                    self._writer,
                    failure_reply(RequestUnknown(error), self._supervisor.context.project),
                )
                continue
            reply = await self._answer_unless_hung_up(request)
            if reply is None:
                return
            await send_reply(self._writer, reply)
            if (
                isinstance(request, Shutdown)
                and isinstance(reply, ResultReply)
                and reply.result["ended"]
            ):
                self._supervisor.shut_down(self._writer)
                return

    async def _answer_unless_hung_up(self, request: Request) -> Reply | None:
        """Do what was asked; None where the command hung up before it was done."""
        work = asyncio.create_task(self._answer(request))
        ahead = asyncio.create_task(self._read_byte())
        await asyncio.wait({work, ahead}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done() and (byte := ahead.result()):
            self._read_ahead = byte  # it asks for more before it has its answer: that can wait
            await work
        if not work.done():
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
            return None
        ahead.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            self._read_ahead = self._read_ahead or await ahead
        return work.result()

    async def _read_byte(self) -> bytes:
        """Wait for a byte; there is none where the command hung up."""
        try:
            return await self._reader.read(1)
        except ConnectionError:  # it did so with events unread (unix(7))
            return b""

    async def _answer(self, request: Request) -> Reply:
        try:
            return ResultReply(result=await self._result(request))
        except Exception as error:  # noqa: BLE001 - the command is told, and the others are served
            return failure_reply(error, self._supervisor.context.project)

    async def _result(self, request: Request) -> Tree:
        duty = self._supervisor
        match request:
            case Ping():
                return greeting(duty.context.project)
            case Lock(what=what):
                await self._acquire_lock(what)
            case Unlock():
                self.release_lock()
            case Observe():
                return cast("Tree", to_tree(duty.observe()))
            case ExecutePlan():
                return await self._execute(request)
            case PrepareExec(container=name):
                keeper = duty.context.containers.get(name)
                if keeper is None or keeper.status.state != "running":
                    raise programs.NotRunning(name)
                return {"argv": programs.prepare_exec(duty.context, keeper.record, request)}
            case Subscribe():
                await self._subscribe()
            case Shutdown():
                return {"ended": duty.can_shut_down()}
            case Serve():
                return {"taken": True}
        return {}

    def _emit(self, event: Event) -> None:
        if not self._writer.is_closing():
            self._writer.write(to_json(EventReply(event=event)) + b"\n")

    async def _acquire_lock(self, what: str) -> None:
        duty = self._supervisor
        if duty.change_lock.locked():
            text = f"waiting for `{duty.lock_owner}`, which is at work on project {duty.context.project}"
            self._emit(WarningEvent(text=text))
        await duty.change_lock.acquire()
        self._holds_lock, self._networks_checked, duty.lock_owner = True, False, what

    async def remove_unstarted(self) -> None:
        """Remove what this command made to run once, and did not start."""
        for name in self._auto_removed & self._supervisor.context.containers.keys():
            await self._supervisor.context.containers[name].remove_if_unstarted()

    def release_lock(self) -> None:
        """Let the next command have its turn."""
        if self._holds_lock:
            self._holds_lock = False
            self._supervisor.change_lock.release()

    async def _execute(self, request: ExecutePlan) -> Tree:
        scene = self._supervisor.context
        if request.project is not None:
            scene.intent = request.project
            records.write_intent(request.project)
        self._auto_removed |= {
            step.operation.name
            for step in request.plan.steps
            if isinstance(step.operation, CreateContainer) and step.operation.auto_remove
        }
        try:
            if request.project is not None or executor.sets_up_containers(request.plan):
                await self._complete_networks()
            await executor.execute_plan(request.plan, scene, self._emit)
        finally:
            if not scene.containers:
                records.remove_intent(scene.project)
        return {}

    async def _complete_networks(self) -> None:
        """Look once a turn whether what is written of networks stands: none is believed."""
        if not self._networks_checked:
            scene = self._supervisor.context
            await scene.networks.repair(scene.network_names())
            self._networks_checked = True

    async def _subscribe(self) -> None:
        def follower(event: ContainerEvent) -> None:
            self._emit(event)

        self._supervisor.context.subscribers.append(follower)
        try:
            await asyncio.Event().wait()
        finally:
            self._supervisor.context.subscribers.remove(follower)


def greeting(project: str) -> Tree:
    """Say who this supervisor is."""
    return cast("Tree", to_tree(replace(OWN_GREETING, pid=os.getpid(), project=project)))


def failure_reply(error: Exception, project: str) -> ErrorReply:
    """Say what went wrong in a command's words; the traceback of a bug goes to the log."""
    mistake = error if isinstance(error, CntnrError) else None
    if isinstance(error, OSError):
        mistake = paths.explain_os_error(error)
    if mistake is None:
        traceback.print_exception(error)
        mistake = Internal(error, paths.supervisor_log(project))
    return ErrorReply.from_error(mistake)


async def send_reply(writer: asyncio.StreamWriter, reply: Reply) -> None:
    """Send a reply."""
    writer.write(to_json(reply) + b"\n")
    await writer.drain()
