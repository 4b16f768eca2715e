"""Serve one project: its socket, one session for each command, until nothing of the project is left."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from typing import cast

from cntnr_compose.containers.runtime import host_facts
from cntnr_compose.containers.state import project_intent
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core import paths
from cntnr_compose.core.values import Seconds, from_json
from cntnr_compose.host import files, process, socket_peer
from cntnr_compose.host.namespaces.holder import NamespaceHolder
from cntnr_compose.model.protocol import Ping, Request, ResultReply, Serve
from cntnr_compose.supervisor.exec_server import ExecServer
from cntnr_compose.supervisor.project import SupervisedProject, log_failure
from cntnr_compose.supervisor.session import (
    ClientSession,
    build_error_reply,
    build_greeting,
    send_reply,
)

MAX_REQUEST_SIZE = 256 << 20  # bytes; a plan of a thousand services is about 5 MB
HOUSEKEEPING_INTERVAL: Seconds = 5
IDLE_TIME: Seconds = 2  # after the last command, so that the next of a script finds all there


def run(first: socket.socket, holder: NamespaceHolder, holder_lock: contextlib.ExitStack) -> None:
    """Serve one project until nothing of it is left."""
    process.use_pidfd_child_watcher()
    asyncio.run(Supervisor(holder, holder_lock).serve(first))


class Supervisor:
    """The server of one project."""

    def __init__(self, holder: NamespaceHolder, holder_lock: contextlib.ExitStack) -> None:
        self._holder = holder
        self._holder_lock = holder_lock  # keep the holder running
        self._supervised: SupervisedProject | None = None
        self._lock: int | None = None  # descriptor of the project's lock file
        self._is_over = asyncio.Event()
        self._is_closing = False  # whether a command was told that this process ends
        self._sessions: dict[asyncio.Task[None], ClientSession] = {}
        self._idle_time_over = asyncio.Event()
        self._idle_timer: asyncio.TimerHandle | None = None

    @property
    def _project(self) -> SupervisedProject:
        assert self._supervised is not None
        return self._supervised

    async def serve(self, first: socket.socket) -> None:
        """Wait for the request of the command that started this process, and serve the project it names."""
        async with contextlib.AsyncExitStack() as undo:
            reader, writer = await asyncio.open_connection(sock=first, limit=MAX_REQUEST_SIZE)
            request = await self._first_request(reader, writer)
            if request is None:
                return  # the command had no use for this process
            try:
                is_served = not await self._take_over_project(request.project, undo)
            except Exception as error:  # noqa: BLE001 - it goes to the command
                await send_reply(writer, build_error_reply(error, request.project))
                return
            with contextlib.suppress(ConnectionError):  # it may have hung up meanwhile
                await send_reply(writer, ResultReply(result={"taken": is_served}))
            is_gone = writer.is_closing()
            if is_served or (is_gone and self._project.is_idle):
                return
            await undo.enter_async_context(self._housekeeping())
            if not is_gone:
                self._accept(reader, writer)
            await self._is_over.wait()

    async def _first_request(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Serve | None:
        """Wait for `Serve`, answering pings of a command that asks whether this process is ready."""
        while line := await reader.readline():
            request = from_json(line, cast("type[Request]", Request))
            if not isinstance(request, Ping):
                assert isinstance(request, Serve)
                return request
            await send_reply(writer, ResultReply(result=build_greeting("")))
        return None

    async def _take_over_project(self, name: str, undo: contextlib.AsyncExitStack) -> bool:
        """Take the project's lock, adopt what runs, listen; False where another supervisor has the lock."""
        path = paths.supervisor_socket(name)
        for folder in (path.parent, paths.supervisor_logs()):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = files.acquire_lock(path.with_suffix(".lock"))
        if self._lock is None:
            return False
        undo.callback(self._remove_runtime_files)
        log = os.open(paths.supervisor_log(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for number in (1, 2):
            os.dup2(log, number)
        context = ProjectContext(name, self._holder, host_facts.gather_host_facts())
        self._supervised = SupervisedProject(context)
        undo.push_async_callback(context.cancel_tasks)
        await self._project.adopt()
        path.unlink(missing_ok=True)
        with process.umask(0o077):
            server = await asyncio.start_unix_server(
                self._accept, path=str(path), limit=MAX_REQUEST_SIZE
            )
        undo.callback(server.close)
        undo.callback(ExecServer(context).listen(paths.exec_socket(name)).close)
        return True

    def _remove_runtime_files(self) -> None:
        """Remove what was written for the time of this supervisor, once; then another may follow."""
        if self._lock is None or self._supervised is None:
            return
        name = self._project.context.project
        path = paths.supervisor_socket(name)
        if self._project.is_idle:
            project_intent.remove_intent(name)
            paths.supervisor_log(name).unlink(missing_ok=True)
        for file in (path, paths.exec_socket(name), path.with_suffix(".lock")):
            file.unlink(missing_ok=True)
        os.close(self._lock)
        self._lock = None

    @contextlib.asynccontextmanager
    async def _housekeeping(self) -> AsyncIterator[None]:
        async def run_rounds() -> None:
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(HOUSEKEEPING_INTERVAL):
                        await self._idle_time_over.wait()
                self._idle_time_over.clear()
                await log_failure(self._project.run_housekeeping())
                if self._project.is_idle and not self._count_sessions():
                    self._is_over.set()

        task = asyncio.create_task(run_rounds())
        try:
            yield
        finally:
            task.cancel()

    def _start_idle_timer(self) -> None:
        """Have a round of housekeeping, which ends an idle supervisor, soon after the last command."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        if not self._project.context.containers:
            loop = asyncio.get_running_loop()
            self._idle_timer = loop.call_later(IDLE_TIME, self._idle_time_over.set)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_own_user = socket_peer.is_own_user(writer.get_extra_info("socket"))
        is_too_late = self._is_closing or self._is_over.is_set()  # the command starts another one
        if not is_own_user or is_too_late:
            writer.close()
            return
        session = ClientSession(self._project, reader, writer, self._begin_shut_down)
        task = asyncio.create_task(self._serve_session(session, writer))
        self._sessions[task] = session
        task.add_done_callback(self._sessions.pop)

    def _count_sessions(self) -> int:
        """Count the commands that are connected, but for those that need no supervisor to stay."""
        return sum(session.keeps_supervisor for session in self._sessions.values())

    async def _serve_session(self, session: ClientSession, writer: asyncio.StreamWriter) -> None:
        """Answer one command until it hangs up, or shuts the supervisor down."""
        try:
            await session.serve()
        except ConnectionError:
            pass  # the command is gone; what it had begun is cancelled
        finally:
            if session.shuts_down:
                self._shut_down(writer)
            await log_failure(session.release_containers())
            await log_failure(session.remove_unstarted())
            session.release_lock()
            writer.close()
            self._start_idle_timer()

    def _begin_shut_down(self) -> bool:
        """Let nobody in any more where nothing is left to supervise; return whether that is so.

        Not while other commands are connected than the one that asks.
        """
        self._is_closing = self._project.is_idle and self._count_sessions() <= 1
        return self._is_closing

    def _shut_down(self, writer: asyncio.StreamWriter) -> None:
        """End; once the command sees its connection closed, the holder may go as well."""
        self._holder_lock.close()
        self._remove_runtime_files()
        writer.close()
        self._is_over.set()
