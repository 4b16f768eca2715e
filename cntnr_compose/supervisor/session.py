"""One connected command: answer its requests, hold the change lock for it, cancel when it hangs up."""

import asyncio
import contextlib
import os
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from cntnr_compose.containers.exec import ExecInPaused, NotRunning, prepare_exec
from cntnr_compose.containers.managed import managed_containers
from cntnr_compose.containers.state import project_intent
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError, NoSuchContainer
from cntnr_compose.core.events import ContainerEvent, Event, WarningEvent
from cntnr_compose.core.values import Bytes, Tree, from_json, replace, to_json, to_tree
from cntnr_compose.model.plan import CreateContainer, Plan
from cntnr_compose.model.protocol import (
    OWN_GREETING,
    ErrorReply,
    EventReply,
    ExecCommand,
    ExecutePlan,
    HoldContainers,
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
from cntnr_compose.supervisor import plan_executor
from cntnr_compose.supervisor.project import SupervisedProject

MAX_UNREAD: Bytes = 4 << 20  # of events for a command that reads none


class Internal(CntnrError):
    """A bug in the supervisor, as far as a user can act on it."""

    exit_code = 70

    def __init__(self, error: BaseException, where: Path) -> None:
        super().__init__(f"internal error in the supervisor: {type(error).__name__}: {error}")
        self.hint = f"this is a bug; the traceback is in {where}"


class RequestUnknown(CntnrError):
    """A command of another version sends a request that this supervisor does not know."""

    hint = "use the cntnr that the project was brought up with, or a newer one"

    def __init__(self, error: ValueError) -> None:
        super().__init__(
            f"the supervisor ({OWN_GREETING}) does not understand the request: {error}"
        )


class ClientSession:
    """The connection of one command, from its first request until it hangs up."""

    def __init__(
        self,
        project: SupervisedProject,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        begin_shut_down: Callable[[], bool],
    ) -> None:
        self._project = project
        self._context = project.context
        self._reader = reader
        self._writer = writer
        self._begin_shut_down = begin_shut_down
        self.shuts_down = False  # whether the supervisor ends with this session
        self.keeps_supervisor = True  # whether the supervisor stays for this session
        self._holds_lock = False
        self._held = contextlib.AsyncExitStack()  # containers that stay as they are
        self._networks_checked = False  # since the lock was taken
        self._auto_removed: set[str] = set()  # names of containers that go when they have run
        self._read_ahead = b""  # read while waiting for something else

    async def serve(self) -> None:
        """Answer requests until the command hangs up, or shuts the supervisor down."""
        while line := self._read_ahead + await self._reader.readline():
            self._read_ahead = b""
            try:
                request = from_json(line, cast("type[Request]", Request))
            except ValueError as error:
                reply = build_error_reply(RequestUnknown(error), self._context.project)
                await send_reply(self._writer, reply)
                continue
            answer = await self._answer_unless_hung_up(request)
            if answer is None:
                return
            await send_reply(self._writer, answer)
            if self.shuts_down:
                return

    async def _answer_unless_hung_up(self, request: Request) -> Reply | None:
        """Answer a request; None where the command hung up before that was done."""
        work = asyncio.create_task(self._answer(request))
        ahead = asyncio.create_task(self._read_byte())
        await asyncio.wait({work, ahead}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done() and (byte := ahead.result()):
            self._read_ahead = byte  # of its next request, which can wait
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
        """Wait for a byte; empty where the command hung up."""
        try:
            return await self._reader.read(1)
        except ConnectionError:  # it hung up with events unread (unix(7))
            return b""

    async def _answer(self, request: Request) -> Reply:
        try:
            return ResultReply(result=await self._result(request))
        except Exception as error:  # noqa: BLE001 - it goes to the command; other sessions go on
            return build_error_reply(error, self._context.project)

    async def _result(self, request: Request) -> Tree:
        match request:
            case Ping():
                return build_greeting(self._context.project)
            case Lock(what=what):
                await self._acquire_lock(what)
            case Unlock():
                self.release_lock()
            case HoldContainers(names=names):
                await self._hold(names)
            case Observe():
                return cast("Tree", to_tree(self._project.observe()))
            case ExecutePlan():
                await self._execute(request)
            case PrepareExec():
                return cast("Tree", to_tree(self._prepare_exec(request)))
            case Subscribe():
                await self._subscribe(request)
            case Shutdown():
                self.shuts_down = self._begin_shut_down()
                return {"ended": self.shuts_down}
            case Serve():
                return {"taken": True}
        return {}

    def _prepare_exec(self, request: PrepareExec) -> ExecCommand:
        container = self._context.containers.get(request.container)
        if container is not None and container.status.state == "paused":
            raise ExecInPaused(request.container)
        if container is None or container.status.state != "running":
            raise NotRunning(request.container)
        return prepare_exec(self._context, container.record, request)

    def _emit(self, event: Event) -> None:
        if not self._writer.is_closing():
            self._writer.write(to_json(EventReply(event=event)) + b"\n")

    async def _acquire_lock(self, what: str) -> None:
        project = self._project
        if project.change_lock.locked():
            name = self._context.project
            text = f"waiting for `{project.lock_owner}`, which is at work on project {name}"
            self._emit(WarningEvent(text=text))
        await project.change_lock.acquire()
        self._holds_lock, self._networks_checked, project.lock_owner = True, False, what
        self._context.command = what

    async def _hold(self, names: Sequence[str]) -> None:
        """Hold containers, always in one order, so that no two commands wait for each other's."""
        for name in sorted(names):
            container = managed_containers(self._context).get(name)
            if container is None:
                raise NoSuchContainer(name)
            await self._held.enter_async_context(container.hold(paused=False))

    async def release_containers(self) -> None:
        """Let the containers change again that the command has held."""
        await self._held.aclose()

    def release_lock(self) -> None:
        """Let the next command change the project."""
        if self._holds_lock:
            self._holds_lock = False
            self._context.command = ""
            self._project.change_lock.release()

    async def remove_unstarted(self) -> None:
        """Remove one-off containers that this command created and did not start."""
        for name in self._auto_removed & self._context.containers.keys():
            await managed_containers(self._context)[name].remove_if_unstarted()

    async def _execute(self, request: ExecutePlan) -> None:
        context = self._context
        if request.project is not None:
            context.intent = request.project
            project_intent.write_intent(request.project)
        self._auto_removed |= {
            step.operation.name
            for step in request.plan.steps
            if isinstance(step.operation, CreateContainer) and step.operation.auto_remove
        }
        try:
            if request.project is not None or plan_executor.sets_up_containers(request.plan):
                await self._repair_networks(request.plan)
            if request.project is None:
                await plan_executor.restore_networks(request.plan, context)
            await plan_executor.execute_plan(request.plan, context, self._emit)
        finally:
            if not context.containers:
                project_intent.remove_intent(context.project)

    async def _repair_networks(self, plan: Plan) -> None:
        """Check networks once a lock: what is written of them may not be there any more."""
        if not self._networks_checked:
            names = self._context.network_names() | plan_executor.requested_networks(
                plan, self._context
            )
            await self._context.networks.bring_up_defined(names)
            await self._context.networks.repair(names, rules=self._context.must_check_rules())
            self._networks_checked = True

    async def _subscribe(self, request: Subscribe) -> None:
        self.keeps_supervisor = request.keeps_supervisor

        def replay(event: ContainerEvent) -> None:
            if not request.until or event.time <= request.until:
                self._emit(event)

        def forward(event: ContainerEvent) -> None:
            replay(event)
            if self._writer.transport.get_write_buffer_size() > MAX_UNREAD:
                self._writer.transport.abort()  # it can come back, and ask for what it missed

        for event in self._context.history:
            if request.since and event.time >= request.since:
                replay(event)
        self._context.subscribers.append(forward)
        try:
            if request.until:
                await asyncio.sleep(request.until - time.time())
            else:
                await asyncio.Event().wait()
        finally:
            self._context.subscribers.remove(forward)


def build_greeting(project: str) -> Tree:
    """Return the answer to a ping: who this supervisor is."""
    return cast("Tree", to_tree(replace(OWN_GREETING, pid=os.getpid(), project=project)))


def build_error_reply(error: Exception, project: str) -> ErrorReply:
    """Return the reply that reports an error; the traceback of a bug goes to the log."""
    user_error = error if isinstance(error, CntnrError) else None
    if isinstance(error, OSError):
        user_error = paths.explain_os_error(error)
    if user_error is None:
        traceback.print_exception(error)
        user_error = Internal(error, paths.supervisor_log(project))
    return ErrorReply.from_error(user_error)


async def send_reply(writer: asyncio.StreamWriter, reply: Reply) -> None:
    """Send a reply."""
    writer.write(to_json(reply) + b"\n")
    await writer.drain()
