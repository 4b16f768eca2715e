"""One container under supervision: what commands do with it, and its adoption by a new supervisor."""

import asyncio
import contextlib
import math
import signal
import time
from collections.abc import AsyncIterator, Iterator
from typing import cast

from cntnr_compose.containers import hooks, pause, setup
from cntnr_compose.containers.bundle import source_snapshot
from cntnr_compose.containers.run_cycle import RunCycle
from cntnr_compose.containers.run_history import EndCause
from cntnr_compose.containers.runtime import oci_runtime, ports
from cntnr_compose.containers.state import lifecycle, records, restart_policy
from cntnr_compose.containers.state.lifecycle import ACTIVE, SET_UP, LifecycleEvent, LifecycleState
from cntnr_compose.containers.state.project_context import ProjectContext, emit_progress
from cntnr_compose.containers.stop import terminate
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError, NoSuchContainer
from cntnr_compose.core.events import Emit, ignore_event
from cntnr_compose.core.values import Seconds, replace
from cntnr_compose.host import process, signals
from cntnr_compose.model.listed import RUNNING_STATES

SIGNAL_EFFECT: Seconds = 10  # an end so soon after a signal of `kill` is taken for its effect
EXIT_FILE_TIMEOUT: Seconds = 1  # conmon writes the exit file of a container that has ended


class ManagedContainer(RunCycle):
    """One container: every command that changes it holds its change lock."""

    async def prepare(self, emit: Emit, *, early: bool = False) -> None:
        """Set up all that the program needs to start. Done already: fine.

        ``early``: other containers start first, and may create sources of mounts that are missing. While
        some are missing nothing is done; the start prepares the container then.
        """
        async with self._change_lock:
            if self.state is LifecycleState.RESTARTING:
                return  # prepared when its delay is over
            if early and not self._sources_are_complete():
                return
            with self._noting_failure():
                await self._prepare(emit)

    async def undo_prepare(self) -> None:
        """Remove what was set up for a program that was not started."""
        async with self._change_lock:
            await self._undo_prepare()

    @contextlib.contextmanager
    def _noting_failure(self) -> Iterator[None]:
        """Add a failure of the block to the history."""
        try:
            yield
        except CntnrError as error:
            self.context.note(self.record, "start_failed", cause=str(error))
            raise

    @contextlib.contextmanager
    def _ended_by(self, what: str) -> Iterator[None]:
        """Have the history tell what ended a run, where it ends within the block."""
        self._end_cause = EndCause(what, self.context.command, math.inf)
        try:
            yield
        finally:
            self._end_cause = None

    async def start(self, emit: Emit, *, again: bool = False, cause: str = "") -> None:
        """Publish ports, start the program, run post_start hooks. Runs already: fine.

        Where it is started ``again``, its stop has shown that. Raises `StartOfPaused`.
        """
        async with self._change_lock:
            await self.wait_while({LifecycleState.ENDING})
            if self.state is LifecycleState.RUNNING:
                return
            if self.state is LifecycleState.PAUSED:
                raise pause.StartOfPaused(self.record.name)
            self._cancel_restart()
            is_shown = not self.record.oneoff or bool(self.record.hook)
            if is_shown and not again:
                emit_progress(emit, self.record.name, "Starting")
            self._start_cause = cause
            with self._noting_failure():
                await self._start(emit)
            if self.status.restarts:
                self.write(restarts=0)
        if is_shown:
            emit_progress(emit, self.record.name, "Started", state="done")

    async def stop(
        self,
        emit: Emit,
        grace: Seconds | None = None,
        signal_name: str = "",
        *,
        will_restart: bool = False,
        cause: str = "",
    ) -> None:
        """Run pre_stop hooks, send the stop signal, kill after the grace period; None and "" mean its own.

        ``will_restart`` tells subscribers that it is about to be started again. Raises `HookFailed`,
        `StopFailed`.
        """
        async with self._change_lock:
            self._cancel_restart()
            if self.state is LifecycleState.RESTARTING:
                self.transition(LifecycleEvent.GIVE_UP, stopped_by_user=True)
            emit_progress(emit, self.record.name, "Restarting" if will_restart else "Stopping")
            if self.state not in SET_UP:
                if not will_restart:
                    emit_progress(emit, self.record.name, "Stopped", state="done")
                return
            if self.state in (LifecycleState.RUNNING, LifecycleState.PAUSED):
                await self._run_pre_stop(emit)
            self.write(stopped_by_user=True)
            self._start_follows = will_restart
            try:
                with self._ended_by(f"stop: {cause}" if cause else "stop"):
                    await terminate(self, grace, signal_name)
            finally:
                self._start_follows = False
        self.context.emit_event(self.record, "stop")
        if not will_restart:
            emit_progress(emit, self.record.name, "Stopped", state="done")

    async def _run_pre_stop(self, emit: Emit) -> None:
        if self.record.definition.pre_stop:
            await self.thaw()
        for hook in self.record.definition.pre_stop:
            await hooks.run_hook(self.context, self.record, "pre_stop", hook, emit)

    async def restart_if_running(self) -> None:
        """Stop a running container and start it again, so that no other command comes in between."""
        async with self._change_lock:
            if self.state is not LifecycleState.RUNNING:
                return
            self.write(stopped_by_user=True)  # its restart policy has nothing to do
            self._start_follows = True
            try:
                with self._ended_by("restart: its namespace is new"):
                    await terminate(self, None)
            finally:
                self._start_follows = False
            self._start_cause = "its namespace is new"
            await self._start(ignore_event)

    async def kill(self, emit: Emit, signal_name: str) -> None:
        """Send a signal to the first process; one that waits for a restart is not started again."""
        if self.state is LifecycleState.RESTARTING:
            await self.stop(ignore_event)
            return
        if self.state not in SET_UP:
            return
        emit_progress(emit, self.record.name, "Killing")
        self._cancel_restart()
        number = signals.signal_number(signal_name)
        if number == signal.SIGKILL:
            if self._change_lock.locked() and self.state is LifecycleState.RUNNING:
                self.send_signal(number)  # another command may be waiting for its end
            async with self._change_lock:
                self.write(stopped_by_user=True)
                with self._ended_by("kill"):
                    await terminate(self, 0)
        else:
            until = time.monotonic() + SIGNAL_EFFECT
            self._end_cause = EndCause(f"kill {signal_name}", self.context.command, until)
            self.send_signal(number)
            if self.state is LifecycleState.PAUSED and pause.is_unpaused_by(self, number):
                async with self._change_lock:
                    await self.thaw()
        self.context.emit_event(self.record, "kill", signal=str(number))
        emit_progress(emit, self.record.name, "Killed", state="done")

    async def pause(self, emit: Emit) -> None:
        """Stop all processes for a while. Raises `PauseRefused`, `FreezeFailed`."""
        async with self._change_lock:
            await pause.pause(self, emit)
        emit_progress(emit, self.record.name, "Paused", state="done")

    async def unpause(self, emit: Emit) -> None:
        """Let it go on after `pause`. Raises `PauseRefused`."""
        async with self._change_lock:
            await pause.unpause(self)
        emit_progress(emit, self.record.name, "Unpaused", state="done")

    @contextlib.asynccontextmanager
    async def hold(self, *, paused: bool) -> AsyncIterator[None]:
        """Keep other commands from changing the container for a block; ``paused``: its processes, too.

        Raises `PauseRefused`, `FreezeFailed`.
        """
        async with self._change_lock:
            must_pause = paused and self.state is LifecycleState.RUNNING
            if must_pause:
                await pause.pause(self, ignore_event)
            try:
                yield
            finally:
                if must_pause:
                    await process.clean_up(self.thaw())

    async def remove(self, emit: Emit, *, volumes: bool) -> None:
        """Remove the container, killing it where it runs; its anonymous volumes too on request."""
        async with self._change_lock:
            emit_progress(emit, self.record.name, "Removing")
            self._cancel_restart()
            if self.state in SET_UP:
                self.write(stopped_by_user=True)
                with self._ended_by("removal"):
                    await terminate(self, 0)
            await self.wait_while(ACTIVE)
            await self._delete(volumes=volumes)
        emit_progress(emit, self.record.name, "Removed", state="done")

    @property
    def _goes_by_itself(self) -> bool:
        """Whether it is removed as soon as it does not run, also where nobody started it."""
        is_awaited = self.record.awaits_start and self.status.state == "created"
        return self.record.auto_remove and not is_awaited

    async def remove_if_unstarted(self) -> None:
        """Remove a container that only its client would have started, and the client is gone."""
        if self._goes_by_itself and self.status.state == "created":
            await self.remove(ignore_event, volumes=True)

    async def change_name(self, name: str) -> None:
        """Give it a name that the user has chosen. Raises `RenameRefused`, `NoSuchContainer`."""
        async with self._change_lock:
            await self.wait_while({LifecycleState.REMOVING})
            if self.state is LifecycleState.REMOVED:
                raise NoSuchContainer(self.record.name)
            records.check_new_name(self.record, name)
            self.rename(name)

    def rename(self, name: str) -> None:
        """Give it another name."""
        self.context.containers.pop(self.record.name, None)
        self.record = replace(self.record, name=name)
        records.write_record(self.record)
        self.context.containers[name] = self
        self.context.emit_event(self.record, "rename")
        setup.register_names(self.record, self.status.addresses)

    async def adopt(self) -> None:
        """Go on with what an earlier supervisor left: watch what runs, tear down what does not."""
        await self._adopt()
        if self.record.hook:
            # Whoever ran it was cut off with that supervisor; one that has failed stays for a look.
            if self.state is not LifecycleState.EXITED or self.status.exit_code == 0:
                await self.remove(ignore_event, volumes=True)
            return
        # Its client would have started it, and was cut off with that supervisor.
        if self._goes_by_itself and self.status.state not in RUNNING_STATES:
            await self.remove(ignore_event, volumes=True)

    async def _adopt(self) -> None:
        status = self.status
        self.state = lifecycle.adopted_state(
            status,
            is_started=self._is_alive() and oci_runtime.is_started(self.record.id),
            has_bundle=paths.bundle(self.record.id).exists(),
        )
        if status.restarts and status.state in RUNNING_STATES:
            self._restart = restart_policy.PendingRestart(
                delay=restart_policy.FIRST_DELAY, attempt=status.restarts
            )
        if status.pid:
            await self._adopt_process()
        elif self.state is LifecycleState.ENDING:
            await self._tear_down(status.exit_code)
        elif self.state is LifecycleState.PREPARING:
            await self._undo_set_up()

    async def _adopt_process(self) -> None:
        self._watch()
        self.ports = await ports.find_published_ports(self.status.addresses)
        if self.state is LifecycleState.STARTING:
            self._begin_run()  # the supervisor that started it was killed before it could note that
        elif self.state is LifecycleState.RUNNING:
            self._begin_probing()
        elif self.status.state == "restarting":
            # Nobody goes on with that start: the next delay begins.
            self.send_signal(signal.SIGKILL)
        if not self._is_alive():
            with contextlib.suppress(TimeoutError):  # so that nobody sees it run any more
                async with asyncio.timeout(EXIT_FILE_TIMEOUT):
                    await self.wait_while(ACTIVE)

    def _sources_are_complete(self) -> bool:
        return source_snapshot.is_complete(source_snapshot.take_snapshot(self.context, self.record))


def managed_containers(context: ProjectContext) -> dict[str, ManagedContainer]:
    """Return a project's containers by name, for those who change them: all of them are managed."""
    return cast("dict[str, ManagedContainer]", context.containers)
