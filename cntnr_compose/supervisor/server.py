"""What a supervisor does all day: its socket, whose turn it is, adoption, the end."""

import asyncio
import contextlib
import os
import socket
import traceback
from collections.abc import AsyncIterator, Coroutine
from typing import Any, cast

from cntnr_compose.containers import setup as prepared
from cntnr_compose.containers.logs import rotation as logrotation
from cntnr_compose.containers.managed import ManagedContainer
from cntnr_compose.containers.runtime import host_facts as facts
from cntnr_compose.containers.state import records
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core import paths
from cntnr_compose.core.values import Seconds, from_json
from cntnr_compose.host import files, process
from cntnr_compose.host import socket_peer as peer
from cntnr_compose.host.namespaces import holder
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.observed import Observed
from cntnr_compose.model.protocol import Ping, Request, ResultReply, Serve
from cntnr_compose.networks import slirp4netns as uplink
from cntnr_compose.supervisor.session import ClientSession, failure_reply, greeting, send_reply
from cntnr_compose.volumes import store as volumes

MAX_REQUEST_SIZE = 256 << 20  # bytes; a plan of a thousand services is about 5 MB
HOUSEKEEPING_INTERVAL: Seconds = 5
UPLINK_CHECK_ROUNDS = 4  # of housekeeping, between looks at it


def run(first: socket.socket, held: holder.NamespaceHolder, claims: contextlib.ExitStack) -> None:
    """Serve one project until nothing of it is left."""
    process.use_pidfd_child_watcher()
    asyncio.run(Supervisor(held, claims).serve(first))


class Supervisor:
    """One project's supervisor."""

    def __init__(self, held: holder.NamespaceHolder, claims: contextlib.ExitStack) -> None:
        self._holder = held
        self._claims = claims
        self._scene: ProjectContext | None = None
        self._lock: int | None = None
        self._rounds = 0
        self.change_lock = asyncio.Lock()  # of the command that may change the project
        self.lock_owner = ""
        self._over = asyncio.Event()
        self._sessions: set[asyncio.Task[None]] = set()

    @property
    def context(self) -> ProjectContext:
        assert self._scene is not None
        return self._scene

    async def serve(self, first: socket.socket) -> None:
        """Wait for what a command says first, and be its project's supervisor until nothing is left."""
        async with contextlib.AsyncExitStack() as undo:
            reader, writer = await asyncio.open_connection(sock=first, limit=MAX_REQUEST_SIZE)
            request: Request = Ping()
            while isinstance(request, Ping):  # of a command that asks whether we are ready
                line = await reader.readline()
                if not line:
                    return  # the command had no use for us
                request = from_json(line, cast("type[Request]", Request))
                if isinstance(request, Ping):
                    await send_reply(writer, ResultReply(result=greeting("")))
            assert isinstance(request, Serve)
            try:
                taken = not await self._take_over_project(request.project, undo)
            except Exception as error:  # noqa: BLE001 - the command is told what it is
                await send_reply(writer, failure_reply(error, request.project))
                return
            with contextlib.suppress(ConnectionError):  # it may have hung up meanwhile
                await send_reply(writer, ResultReply(result={"taken": taken}))
            gone = writer.is_closing()
            if taken or (gone and self._is_idle()):
                return
            await undo.enter_async_context(self._housekeeping())
            if not gone:
                self._accept(reader, writer)
            await self._over.wait()

    async def _take_over_project(self, project: str, undo: contextlib.AsyncExitStack) -> bool:
        """Take the project's lock, listen, and adopt what runs; False where another one has it."""
        place = paths.supervisor_socket(project)
        for folder in (place.parent, paths.supervisor_logs()):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = files.acquire_lock(place.with_suffix(".lock"))
        if self._lock is None:
            return False
        undo.callback(self._remove_runtime_files)
        out = os.open(paths.supervisor_log(project), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for number in (1, 2):
            os.dup2(out, number)
        self._scene = ProjectContext(project, self._holder, facts.gather_host_facts())
        undo.push_async_callback(self.context.cancel_tasks)
        await self._adopt()
        place.unlink(missing_ok=True)
        with process.umask(0o077):
            server = await asyncio.start_unix_server(
                self._accept, path=str(place), limit=MAX_REQUEST_SIZE
            )
        undo.callback(server.close)
        return True

    async def _adopt(self) -> None:
        scene = self.context
        scene.intent = records.read_intent(scene.project)
        records.remove_incomplete(scene.project)
        for found in records.read_containers(scene.project):
            settled = records.correct_status(found, self._holder.id)
            keeper = ManagedContainer(scene, settled.record, settled.status)
            scene.containers[settled.record.name] = keeper
            if settled.status != found.status:
                keeper.write()
        known = {one.record.id for one in scene.containers.values()}
        for identity in prepared.find_unrecorded(scene.project, known):
            await _log_failure(prepared.tear_down_unrecorded(scene, identity))
        await _log_failure(scene.networks.repair())
        if scene.containers:
            await _log_failure(uplink.ensure_running())
        for keeper in list(scene.containers.values()):
            await _log_failure(keeper.adopt())

    def _remove_runtime_files(self) -> None:
        """Remove what was written for the time of this supervisor, once; then others may follow."""
        if self._lock is None or self._scene is None:
            return
        place = paths.supervisor_socket(self.context.project)
        if self._is_idle():
            records.remove_intent(self.context.project)
            paths.supervisor_log(self.context.project).unlink(missing_ok=True)
        place.unlink(missing_ok=True)
        place.with_suffix(".lock").unlink(missing_ok=True)
        os.close(self._lock)
        self._lock = None

    @contextlib.asynccontextmanager
    async def _housekeeping(self) -> AsyncIterator[None]:
        async def rounds() -> None:
            while True:
                await asyncio.sleep(HOUSEKEEPING_INTERVAL)
                await _log_failure(self._run_housekeeping())
                if self._is_idle() and not self._sessions:
                    self._over.set()

        task = asyncio.create_task(rounds())
        try:
            yield
        finally:
            task.cancel()

    async def _run_housekeeping(self) -> None:
        for keeper in list(self.context.containers.values()):
            logrotation.keep_rotated_log(keeper.record)
        # Whose turn it is may want them again.
        if not self.context.containers and not self.change_lock.locked():
            await _log_failure(self.context.networks.remove_leaving())
            records.remove_intent(self.context.project)
        await _log_failure(self.context.networks.repair(rules=False))
        self._rounds += 1
        if self._rounds % UPLINK_CHECK_ROUNDS == 0:
            await uplink.ensure_running()

    def _is_idle(self) -> bool:
        """Tell whether nothing of the project is left."""
        scene = self.context
        ours = [one for one in scene.networks.list_networks() if one.found.project == scene.project]
        return not scene.containers and not ours

    def can_shut_down(self) -> bool:
        """Tell whether this supervisor has nothing left to look after, but for the one who asks."""
        return self._is_idle() and len(self._sessions) <= 1

    def shut_down(self, last: asyncio.StreamWriter) -> None:
        """End; the last command hears of it when its connection closes, and the claim is gone then."""
        self._claims.close()
        self._remove_runtime_files()
        last.close()
        self._over.set()

    def observe(self) -> Observed:
        """Take a snapshot."""
        scene = self.context
        return Observed(
            project=scene.project,
            containers=tuple(one.snapshot for one in scene.containers.values()),
            networks=scene.networks.observe(),
            volumes=volumes.observe_volumes(),
            images={one.ref: one.id for one in ImageStore().list()},
        )

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not peer.is_own_user(writer.get_extra_info("socket")):
            writer.close()
            return
        if self._over.is_set():  # too late; the command starts another supervisor
            writer.close()
            return
        task = asyncio.create_task(self._serve_session(reader, writer))
        self._sessions.add(task)
        task.add_done_callback(self._sessions.discard)

    async def _serve_session(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one command until it hangs up."""
        line = ClientSession(self, reader, writer)
        try:
            await line.serve()
        except ConnectionError:
            pass  # it went away; what it had begun is cancelled
        finally:
            await _log_failure(line.remove_unstarted())
            line.release_lock()
            writer.close()


async def _log_failure(work: Coroutine[Any, Any, None]) -> None:
    """Do what must not keep the rest from being done: the traceback of its failure goes to the log."""
    try:
        await work
    except Exception:  # noqa: BLE001
        traceback.print_exc()
