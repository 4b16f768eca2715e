"""The keeper of one container: prepares, starts, stops and removes it, and notices when it ends.

Runs in the supervisor. What it knows stands in the container's status file as well, so that a later
supervisor goes on where this one died.
"""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable
from typing import Any, TypeAlias

from cntnr_compose.containers import exec as programs
from cntnr_compose.containers import health_monitor as health
from cntnr_compose.containers import setup as prepared
from cntnr_compose.containers.bundle import source_snapshot as sources
from cntnr_compose.containers.logs import rotation as logrotation
from cntnr_compose.containers.logs.program_output import OutputLines
from cntnr_compose.containers.runtime import ports as publish
from cntnr_compose.containers.runtime import runc
from cntnr_compose.containers.state import lifecycle, records
from cntnr_compose.containers.state.project_context import ProjectContext, emit_progress
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, Output
from cntnr_compose.core.values import Seconds, from_tree, replace
from cntnr_compose.host import proc, process, signals
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.observed import RUNNING_STATES, Container, Record, Status
from cntnr_compose.model.service import Hook
from cntnr_compose.networks import address_claims as claims
from cntnr_compose.networks.port_driver import DriverPort

log = logging.getLogger(__name__)
EXIT_FILE_TIMEOUT: Seconds = 1  # that a container has ended: conmon writes it down
KILL_TIMEOUT: Seconds = 10  # after SIGKILL; the kernel may be busy with its memory


class HookFailed(CntnrError):
    """A post_start or pre_stop hook did not end with 0."""

    def __init__(self, container: str, kind: str, code: int | None) -> None:
        how = "did not end" if code is None else f"exited with code {code}"
        super().__init__(f"{kind} hook of container {container} {how}")


class StopFailed(CntnrError):
    """A container does not end even when it is killed."""

    hint = "it waits for the kernel, perhaps for a disk or a network file system"

    def __init__(self, container: str) -> None:
        super().__init__(f"cannot stop container {container}: it does not end")


Cancel: TypeAlias = Callable[[], object]


def _nothing() -> None:
    """Cancel nothing."""


class ManagedContainer:
    """Owns one container."""

    def __init__(self, scene: ProjectContext, record: Record, status: Status) -> None:
        self.context = scene
        self.record = record
        self.status = status
        self.ports: tuple[DriverPort, ...] = ()
        self._change_lock = asyncio.Lock()  # one change at a time
        self._ended = asyncio.Event()  # nothing of it runs, and its bundle is gone
        self._ended.set()
        self._settled = asyncio.Event()  # no start is under way
        self._settled.set()
        self._stop_probing: Cancel = _nothing
        self._stop_restart: Cancel = _nothing
        self._retry: lifecycle.PendingRestart | None = None
        self._seen: sources.SourceSnapshot | None = (
            None  # where its mounts came from when it was prepared
        )
        self._comes_back = False  # it is being stopped to be started again

    @property
    def image(self) -> ImageConfig:
        """Give the configuration of the image that it was made from."""
        return from_tree(self.record.image_config, ImageConfig)

    @property
    def snapshot(self) -> Container:
        """Give what is known of it, as others see it."""
        return Container(record=self.record, status=self.status)

    def write(self, **changes: Any) -> None:
        """Change the status, and write it."""
        self.status = replace(self.status, **changes)
        try:
            records.write_status(self.record, self.status)
            if self.record.oneoff and self.status.state == "exited":
                records.write_exit_code(self.record, self.status.exit_code)
        except OSError as error:
            # On a full disk containers can still be stopped: what is known here counts, and the next
            # supervisor finds out by itself.
            log.warning("cannot write the status of %s: %s", self.record.name, error)
        self.context.notify_change()

    async def prepare(self, emit: Emit, *, early: bool = False) -> None:
        """Bring it to the point where its program can start. Done already is fine.

        ``early`` tells that others start before it: what is not there yet, they may make. Then nothing
        is done, and the start prepares it.
        """
        async with self._change_lock:
            if not early or sources.is_complete(sources.take_snapshot(self.context, self.record)):
                await self._prepare(emit)

    async def _prepare(self, tell: Emit) -> None:
        if self.status.pid:
            return
        await self._ended.wait()
        self._ended.clear()
        seen = sources.take_snapshot(self.context, self.record)
        try:
            made = await prepared.set_up(self.context, self.record, tell)
        except BaseException:
            await process.clean_up(self._unmake())
            raise
        # A folder that was missing was made.
        whole = sources.is_complete(seen)
        self._seen = seen if whole else sources.take_snapshot(self.context, self.record)
        self.write(
            holder=self.context.holder.id,
            pid=made.pid,
            born=proc.start_time(made.pid),
            conmon=made.conmon,
            addresses=made.addresses,
            error="",
        )
        self._watch()

    async def undo_prepare(self) -> None:
        """Remove what was prepared of it where its program was not started."""
        async with self._change_lock:
            await self._take_back()

    async def _take_back(self) -> None:
        if self.status.pid and self.status.state not in RUNNING_STATES:
            self._send_signal(signal.SIGKILL)
            await self._ended.wait()

    async def _unmake(self) -> None:
        try:
            await prepared.undo_set_up(self.context, self.record)
        finally:
            self._ended.set()

    async def start(self, emit: Emit) -> None:
        """Start its program, publish its ports, run its post_start hooks. Runs already: fine."""
        async with self._change_lock:
            if self.status.state == "running":
                return
            self._cancel_restart()
            emit_progress(emit, self.record.name, "Starting")
            await self._start(emit)
            if self.status.restarts:
                self.write(restarts=0)
        emit_progress(emit, self.record.name, "Started", state="done")

    async def _start(self, tell: Emit) -> None:
        # To a one-off somebody is attached already; it was prepared after all that it waits for.
        if not self.record.oneoff and self._seen != sources.take_snapshot(
            self.context, self.record
        ):
            await self._take_back()
        await self._prepare(tell)
        self._settled.clear()  # a program may end before we learn that it was started
        try:
            await publish.unpublish_ports(self.ports)  # an earlier supervisor's, killed just here
            self.ports = await publish.publish_ports(
                self.context.holder.id, self.record, self.status.addresses
            )
            async with self.context.worker_slots:
                await runc.start(self.record.id, self.record.name)
        except BaseException as error:
            self._settled.set()
            await process.clean_up(self._undo(str(error)))
            raise
        self._runs()
        self._settled.set()
        for hook in self.record.definition.post_start:
            await self._run_hook("post_start", hook, tell)

    def _runs(self) -> None:
        """Note that its program was started."""
        self.write(
            state="running",
            started=time.time(),
            finished=0,
            exit_code=0,
            stopped_by_user=False,
            published=publish.to_published(self.ports),
            health="starting" if health.has_healthcheck(self) else "",
            failing_streak=0,
            probes=(),
        )
        self.context.emit_event(self.record, "start")
        self._begin_probing()

    def _begin_probing(self) -> None:
        if health.has_healthcheck(self):
            self._stop_probing = self.context.start_task(
                health.monitor_health(self), f"health of {self.record.name}"
            )

    async def _undo(self, why: str) -> None:
        """Take back a start that failed: the container is as it was before, created or exited."""
        self._send_signal(signal.SIGKILL)
        await self._ended.wait()
        self.write(error=why)

    async def _run_hook(self, kind: str, hook: Hook, tell: Emit) -> None:
        name = self.record.name
        lines = OutputLines(lambda text: tell(Output(source=name, text=text)))
        code = await programs.run_in_container(self.context, self.record, hook, lines.feed)
        lines.flush()
        if code != 0:
            raise HookFailed(name, kind, code)

    def _watch(self) -> None:
        self.context.start_task(self._wait_for_end(), f"end of {self.record.name}")

    async def _wait_for_end(self) -> None:
        """Wait until conmon has written the exit status, or is gone with the container."""
        if runc.is_conmon(self.status.conmon, self.record.id):
            await signals.wait_for_exit(self.status.conmon)
        if self.status.pid and proc.start_time(self.status.pid) == self.status.born:
            # conmon was killed: nobody will know the status, and output is lost from now on.
            await signals.wait_for_exit(self.status.pid)
        # A short program ends before `runc start` has told us that it began.
        await self._settled.wait()
        code = runc.read_exit_status(self.record.id)
        await self._on_end(records.LOST_EXIT_CODE if code is None else code)

    async def _on_end(self, code: int) -> None:
        self._stop_probing()
        logrotation.end_last_line(self.record)
        try:
            await prepared.tear_down(self.context, self.record, self.status.addresses)
        finally:
            self.ports = ()
            try:
                self._note_end(code)
                if self.record.auto_remove and self.status.state == "exited":
                    await self._remove_files(volumes=True)
            finally:
                self._ended.set()

    def _note_end(self, code: int) -> None:
        was, now = self.status, time.time()
        if was.state not in ("running", "paused", "restarting"):
            self.write(**NOTHING)
            return
        self._retry = lifecycle.next_restart(
            self.record.definition.restart,
            exit_code=code,
            run_time=now - was.started,
            previous=self._retry,
            stopped_by_user=was.stopped_by_user,
        )
        state = lifecycle.next_state(was.state, "back off" if self._retry else "exit")
        # Whoever is to come back still belongs to this holder; gone with it, nobody brings it back.
        holder = self.context.holder.id if self._retry else ""
        self.write(state=state, finished=now, exit_code=code, **NOTHING | {"holder": holder})
        more = {"restarting": "1"} if self._retry or self._comes_back else {}
        self.context.emit_event(self.record, "die", exitCode=str(code), **more)
        if self._retry is not None:
            work = self._restart_after(self._retry.delay)
            self._stop_restart = self.context.start_task(work, f"restart of {self.record.name}")

    async def _restart_after(self, delay: Seconds) -> None:
        await asyncio.sleep(delay)
        async with self._change_lock:
            if self.status.state != "restarting":
                return
            self._stop_restart = _nothing
            restarts = self.status.restarts + 1
            try:
                await self._start(_ignore_event)
            except CntnrError as error:
                self.write(state="exited", error=str(error), restarts=restarts)
                return
            self.write(restarts=restarts)
        self.context.emit_event(self.record, "restart")

    async def stop(
        self, emit: Emit, grace: Seconds | None = None, *, will_restart: bool = False
    ) -> None:
        """Run pre_stop hooks, send the stop signal, kill after the grace period (None: its own).

        ``again`` tells those who follow that it is about to be started again. Raises `HookFailed`,
        `StopFailed`.
        """
        async with self._change_lock:
            self._cancel_restart()
            if not self.status.pid:
                if self.status.state == "restarting":
                    self.write(state="exited", stopped_by_user=True)
                return
            emit_progress(emit, self.record.name, "Stopping")
            running = self.status.state in ("running", "paused")
            if running:
                for hook in self.record.definition.pre_stop:
                    await self._run_hook("pre_stop", hook, emit)
            self.write(stopped_by_user=True)
            self._comes_back = will_restart
            try:
                await self._end(grace, running=running)
            finally:
                self._comes_back = False
        self.context.emit_event(self.record, "stop")
        emit_progress(emit, self.record.name, "Stopped", state="done")

    async def _end(self, grace: Seconds | None, *, running: bool) -> None:
        service = self.record.definition
        if running:
            wait = lifecycle.grace_period(service, grace)
            if wait:  # below 0: as long as it takes
                self._send_signal(signals.signal_number(lifecycle.stop_signal(service, self.image)))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait if wait > 0 else None):
                        await self._ended.wait()
        if not self._ended.is_set():
            self._send_signal(signal.SIGKILL)
            try:
                async with asyncio.timeout(KILL_TIMEOUT):
                    await self._ended.wait()
            except TimeoutError:
                raise StopFailed(self.record.name) from None

    async def kill(self, emit: Emit, signal_name: str) -> None:
        """Send a signal to its first process."""
        if not self.status.pid:
            return
        emit_progress(emit, self.record.name, "Killing")
        self._cancel_restart()
        number = signals.signal_number(signal_name)
        if number == signal.SIGKILL:
            async with self._change_lock:
                self.write(stopped_by_user=True)
                await self._end(0, running=True)
        else:
            self._send_signal(number)
        self.context.emit_event(self.record, "kill", signal=str(number))
        emit_progress(emit, self.record.name, "Killed", state="done")

    def _send_signal(self, number: int) -> None:
        pid, born = self.status.pid, self.status.born
        with contextlib.suppress(ProcessLookupError):
            if pid and proc.start_time(pid) == born:
                os.kill(pid, number)

    async def remove(self, emit: Emit, *, volumes: bool) -> None:
        """Remove it, killing it where it runs; its anonymous volumes too where asked."""
        async with self._change_lock:
            emit_progress(emit, self.record.name, "Removing")
            self._cancel_restart()
            if self.status.pid:
                self.write(stopped_by_user=True)
                await self._end(0, running=True)
            await self._ended.wait()
            await self._remove_files(volumes=volumes)
        emit_progress(emit, self.record.name, "Removed", state="done")

    async def _remove_files(self, *, volumes: bool) -> None:
        """Remove its files, once: it may have done so by itself when it ended."""
        keepers = self.context.containers
        if keepers.get(self.record.name) is not self:
            return
        await process.run_shielded(asyncio.to_thread(self._erase, volumes=volumes))
        keepers.pop(self.record.name, None)
        self.context.emit_event(self.record, "destroy")

    def _erase(self, *, volumes: bool) -> None:
        from cntnr_compose.volumes import store

        for network in self.record.networks.values():
            claims.release_address(network, self.record.id)
        # The record, which names the volumes, goes last.
        for point in self.record.mounts:
            if volumes and point.anonymous:
                store.remove_volume(point.source)
        records.remove(self.record)

    def rename(self, name: str) -> None:
        """Give it another name."""
        self.context.containers.pop(self.record.name, None)
        self.record = replace(self.record, name=name)
        records.write_record(self.record)
        self.context.containers[name] = self
        self.context.emit_event(self.record, "rename")
        prepared.register_names(self.record, self.status.addresses)

    def _cancel_restart(self) -> None:
        self._retry = None
        self._stop_restart()
        self._stop_restart = _nothing

    async def adopt(self) -> None:
        """Take over what an earlier supervisor left: watch what runs, clear what does not."""
        await self._adopt()
        # Whoever would have started it was cut off with that supervisor.
        if self.record.auto_remove and self.status.state not in RUNNING_STATES:
            await self.remove(_ignore_event, volumes=True)

    async def remove_if_unstarted(self) -> None:
        """Take note that its client is gone: where it was to run for that one only, and does not, it goes."""
        if self.record.auto_remove and self.status.state == "created":
            await self.remove(_ignore_event, volumes=True)

    async def _adopt(self) -> None:
        status = self.status
        if status.restarts and status.state in RUNNING_STATES:
            delay = lifecycle.FIRST_DELAY
            self._retry = lifecycle.PendingRestart(delay=delay, attempt=status.restarts)
        if status.pid:
            self._ended.clear()
            self._watch()
            self.ports = await publish.find_published_ports(status.addresses)
            if proc.start_time(status.pid) != status.born:
                with contextlib.suppress(TimeoutError):  # so that nobody sees it run any more
                    await asyncio.wait_for(self._ended.wait(), EXIT_FILE_TIMEOUT)
            elif status.state == "running":
                self._begin_probing()
            elif status.state not in RUNNING_STATES and runc.is_started(self.record.id):
                self._runs()  # whoever started it was killed before he could note that
        elif status.state == "restarting":
            self._ended.clear()
            await self._on_end(status.exit_code)
        elif paths.bundle(self.record.id).exists():
            await self._unmake()


NOTHING: dict[str, Any] = {
    "pid": 0, "born": 0, "conmon": 0, "holder": "",
    "addresses": {}, "published": (), "health": "",
}  # fmt: skip


def _ignore_event(_event: object) -> None:
    return None
