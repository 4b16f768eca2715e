"""What a supervisor does all day: its socket, the turns of commands, adoption, the end."""

import asyncio
import contextlib
import fcntl
import os
import socket
import traceback
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

from cntnr_compose.adapters import holder, process
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import ContainerEvent, Event, Warned
from cntnr_compose.core.values import Seconds, Tree, from_json, to_json, to_tree
from cntnr_compose.engine import executor, facts, logrotation, programs, records, volumes
from cntnr_compose.engine.images import ImageStore
from cntnr_compose.engine.keeper import Keeper
from cntnr_compose.engine.scene import Scene
from cntnr_compose.model.observed import Observed
from cntnr_compose.plan.messages import (
    Begin,
    Done,
    End,
    Exec,
    Execute,
    Failed,
    Follow,
    Hello,
    Observe,
    Quit,
    Reply,
    Request,
    Serve,
    Told,
)

LONGEST_LINE = 256 << 20  # bytes; a plan of a thousand services is about 5 MB
HOUSEKEEPING: Seconds = 5


class Internal(CntnrError):
    """A bug of ours, as far as a command can be told of it."""

    exit_code = 70

    def __init__(self, error: BaseException, where: Path) -> None:
        super().__init__(f"internal error in the supervisor: {type(error).__name__}: {error}")
        self.hint = f"this is a bug; the traceback is in {where}"


def run(first: socket.socket, held: holder.Holder, claims: contextlib.ExitStack) -> None:
    """Serve one project until nothing of it is left."""
    process.choose_watcher()
    asyncio.run(_Duty(held, claims).serve(first))


class _Duty:
    """One project's supervisor."""

    def __init__(self, held: holder.Holder, claims: contextlib.ExitStack) -> None:
        self._holder = held
        self._claims = claims
        self._scene: Scene | None = None
        self.turn = asyncio.Lock()  # of the command that may change the project
        self.whose = ""
        self._over = asyncio.Event()
        self._lines: set[asyncio.Task[None]] = set()

    @property
    def scene(self) -> Scene:
        assert self._scene is not None
        return self._scene

    async def serve(self, first: socket.socket) -> None:
        async with contextlib.AsyncExitStack() as undo:
            reader, writer = await asyncio.open_connection(sock=first, limit=LONGEST_LINE)
            line = await reader.readline()
            if not line:
                return  # the command had no use for us
            request = from_json(line, cast("type[Request]", Request))
            assert isinstance(request, Serve)
            try:
                taken = not await self._become(request.project, undo)
            except CntnrError as error:
                await _say(writer, _failed(error))
                return
            await _say(writer, Done(result={"taken": taken}))
            if taken:
                return
            undo.callback(self._forget)
            await undo.enter_async_context(self._housekeeping())
            self._answer(reader, writer)
            await self._over.wait()

    async def _become(self, project: str, undo: contextlib.AsyncExitStack) -> bool:
        """Take the project's lock, listen, and adopt what runs; False where another one has it."""
        place = paths.socket(project)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(place.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        out = os.open(place.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for number in (1, 2):
            os.dup2(out, number)
        self._scene = Scene(project, self._holder, facts.gather())
        undo.push_async_callback(self.scene.end_tasks)
        await self._adopt()
        place.unlink(missing_ok=True)
        with process.umask(0o077):
            server = await asyncio.start_unix_server(
                self._answer, path=str(place), limit=LONGEST_LINE
            )
        undo.callback(server.close)
        return True

    async def _adopt(self) -> None:
        scene = self.scene
        scene.intent = records.read_intent(scene.project)
        records.remove_halves(scene.project)
        for found in records.read_all(scene.project):
            settled = records.settled(found, self._holder.id)
            keeper = Keeper(scene, settled.record, settled.status)
            scene.keepers[settled.record.name] = keeper
            if settled.status != found.status:
                records.write_status(settled.record, settled.status)
        await scene.networks.repair()
        for keeper in list(scene.keepers.values()):
            await keeper.adopt()

    def _forget(self) -> None:
        """Remove what was written for the time of this supervisor."""
        place = paths.socket(self.scene.project)
        for suffix in (".sock", ".log", ".lock"):
            place.with_suffix(suffix).unlink(missing_ok=True)

    @contextlib.asynccontextmanager
    async def _housekeeping(self) -> AsyncIterator[None]:
        async def rounds() -> None:
            while True:
                await asyncio.sleep(HOUSEKEEPING)
                for keeper in list(self.scene.keepers.values()):
                    logrotation.rotate(keeper.record)
                with contextlib.suppress(CntnrError):  # the next round tries again
                    await self.scene.networks.repair()
                if self._is_idle() and not self._lines:
                    self._over.set()

        task = asyncio.create_task(rounds())
        try:
            yield
        finally:
            task.cancel()

    def _is_idle(self) -> bool:
        """Tell whether nothing of the project is left."""
        scene = self.scene
        ours = [one for one in scene.networks.all() if one.found.project == scene.project]
        return not scene.keepers and not ours

    def may_end(self) -> bool:
        """Tell whether this supervisor has nothing left to look after, but for the one who asks."""
        return self._is_idle() and len(self._lines) <= 1

    def end(self, last: asyncio.StreamWriter) -> None:
        """End; the last command hears of it when its connection closes, and the claim is gone then."""
        self._claims.close()
        self._forget()
        last.close()
        self._over.set()

    def observe(self) -> Observed:
        """Take a snapshot."""
        scene = self.scene
        return Observed(
            project=scene.project,
            containers=tuple(one.container for one in scene.keepers.values()),
            networks=scene.networks.observed(),
            volumes=volumes.observed(),
            images={one.ref: one.id for one in ImageStore().list()},
        )

    def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._talk(reader, writer))
        self._lines.add(task)
        task.add_done_callback(self._lines.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one command until it hangs up."""
        line = _Line(self, reader, writer)
        try:
            await line.answer()
        except ConnectionError:
            pass  # it went away; what it had begun is cancelled
        finally:
            line.end_turn()
            writer.close()


class _Line:
    """One command's connection."""

    def __init__(
        self, duty: _Duty, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._duty = duty
        self._reader = reader
        self._writer = writer
        self._has_turn = False
        self._ahead = b""  # read while waiting for something else

    async def answer(self) -> None:
        while line := self._ahead + await self._reader.readline():
            self._ahead = b""
            request = from_json(line, cast("type[Request]", Request))
            reply = await self._or_hung_up(request)
            if reply is None:
                return
            await _say(self._writer, reply)
            if isinstance(request, Quit) and isinstance(reply, Done) and reply.result["ended"]:
                self._duty.end(self._writer)
                return

    async def _or_hung_up(self, request: Request) -> Reply | None:
        """Do what was asked; None where the command hung up before it was done."""
        work = asyncio.create_task(self._do(request))
        ahead = asyncio.create_task(self._reader.read(1))
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

    async def _do(self, request: Request) -> Reply:
        try:
            return Done(result=await self._result(request))
        except CntnrError as error:
            return _failed(error)
        except Exception as error:  # noqa: BLE001 - the command is told, and the others are served
            traceback.print_exc()
            where = paths.socket(self._duty.scene.project).with_suffix(".log")
            return _failed(Internal(error, where))

    async def _result(self, request: Request) -> Tree:
        duty = self._duty
        match request:
            case Hello():
                return {"pid": os.getpid(), "project": duty.scene.project}
            case Begin(what=what):
                await self._begin(what)
            case End():
                self.end_turn()
            case Observe():
                return cast("Tree", to_tree(duty.observe()))
            case Execute():
                return await self._execute(request)
            case Exec(container=name):
                keeper = duty.scene.keepers.get(name)
                if keeper is None or keeper.status.state != "running":
                    raise programs.NotRunning(name)
                return {"argv": programs.lay_out(duty.scene, keeper.record, request)}
            case Follow():
                await self._follow()
            case Quit():
                return {"ended": duty.may_end()}
            case Serve():
                return {"taken": True}
        return {}

    def _tell(self, event: Event) -> None:
        if not self._writer.is_closing():
            self._writer.write(to_json(Told(event=event)) + b"\n")

    async def _begin(self, what: str) -> None:
        duty = self._duty
        if duty.turn.locked():
            text = f"waiting for `{duty.whose}`, which is at work on project {duty.scene.project}"
            self._tell(Warned(text=text))
        await duty.turn.acquire()
        self._has_turn, duty.whose = True, what

    def end_turn(self) -> None:
        """Let the next command have its turn."""
        if self._has_turn:
            self._has_turn = False
            self._duty.turn.release()

    async def _execute(self, request: Execute) -> Tree:
        scene = self._duty.scene
        if request.project is not None:
            scene.intent = request.project
            records.write_intent(request.project)
        try:
            await executor.carry_out(request.plan, scene, self._tell)
        finally:
            if not scene.keepers:
                records.forget_intent(scene.project)
        return {}

    async def _follow(self) -> None:
        def follower(event: ContainerEvent) -> None:
            self._tell(event)

        self._duty.scene.followers.append(follower)
        try:
            await asyncio.Event().wait()
        finally:
            self._duty.scene.followers.remove(follower)


def _failed(error: CntnrError) -> Failed:
    return Failed(error=error.kind, message=str(error), hint=error.hint, exit_code=error.exit_code)


async def _say(writer: asyncio.StreamWriter, reply: Reply) -> None:
    writer.write(to_json(reply) + b"\n")
    await writer.drain()
