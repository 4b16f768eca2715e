"""Steps of a container's run: set up, start, wait for the end, tear down, start again by itself.

All that is known of a run stands in the status file as well, so that a later supervisor goes on where this
one died.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from cntnr_compose.containers import health_monitor, hooks, setup
from cntnr_compose.containers.bundle import source_snapshot
from cntnr_compose.containers.logs import rotation
from cntnr_compose.containers.run_history import EndCause, note_end, was_oom_killed
from cntnr_compose.containers.runtime import conmon, freezer, ports, runc
from cntnr_compose.containers.state import restart_policy
from cntnr_compose.containers.state.container_state import ContainerState
from cntnr_compose.containers.state.lifecycle import ACTIVE, SET_UP, LifecycleEvent, LifecycleState
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, ignore_event
from cntnr_compose.core.values import Seconds
from cntnr_compose.host import proc, process, signals
from cntnr_compose.model.listed import RUNNING_STATES
from cntnr_compose.model.observed import LOST_EXIT_CODE, Record, Status
from cntnr_compose.networks.port_driver import DriverPort

if TYPE_CHECKING:
    from cntnr_compose.containers.logs.forwarder import LogForwarder

Cancel: TypeAlias = Callable[[], object]

# Status of a container of which nothing runs.
NO_PROCESS: dict[str, Any] = {
    "pid": 0, "born": 0, "conmon": 0, "holder": "",
    "addresses": {}, "published": (), "health": "",
}  # fmt: skip


def _do_nothing() -> None:
    """Cancel nothing."""


class RunCycle(ContainerState):
    """Base of `ManagedContainer`: take a container from one state to the next.

    Whoever calls a step holds the change lock. Only the end of the first process comes in between.
    """

    def __init__(self, context: ProjectContext, record: Record, status: Status) -> None:
        super().__init__(record, status, context.notify_change)
        self.context = context
        self.ports: tuple[DriverPort, ...] = ()
        self._change_lock = asyncio.Lock()  # one command at a time
        self._stop_probing: Cancel = _do_nothing
        self._log_forwarder: LogForwarder | None = None
        self._stop_forwarding: Cancel = _do_nothing
        self._stop_timer: Cancel = _do_nothing  # of the automatic start that is due
        # The automatic start that is due, or that led to this run: the next delay grows from it.
        self._restart: restart_policy.PendingRestart | None = None
        # Where its mounts came from when it was prepared; unknown of a container that was adopted.
        self._sources: source_snapshot.SourceSnapshot | None = None
        # A command stops it to start it again: the event of its end says so. (That the user wants its end
        # stands in `status.stopped_by_user`, since a later supervisor must not restart it either.)
        self._start_follows = False
        self._start_cause = ""  # of the start that is under way
        self._end_cause: EndCause | None = None  # what a command does to end it

    async def _prepare(self, emit: Emit) -> None:
        await self.wait_while({LifecycleState.ENDING, LifecycleState.REMOVING})
        if self.state in SET_UP:
            return
        self._create_forwarder()  # raises what is wrong with its options
        self.transition(LifecycleEvent.PREPARE)
        try:
            sources = source_snapshot.take_snapshot(self.context, self.record)
            result = await setup.set_up(self.context, self.record, emit)
        except BaseException:
            await process.clean_up(self._undo_set_up())
            raise
        if not source_snapshot.is_complete(sources):  # folders that were missing have been created
            sources = source_snapshot.take_snapshot(self.context, self.record)
        self._sources = sources
        self.transition(
            LifecycleEvent.PREPARED,
            holder=self.context.holder.id,
            pid=result.pid,
            born=proc.start_time(result.pid),
            conmon=result.conmon,
            addresses=result.addresses,
            error="",
        )
        self._watch()
        if self._log_forwarder is not None:
            await self._log_forwarder.warn_if_unreachable(emit)

    async def _undo_set_up(self) -> None:
        try:
            await setup.undo_set_up(self.context, self.record)
        finally:
            self.transition(LifecycleEvent.FAIL)
            if self.state is LifecycleState.RESTARTING:  # its timer is over, or was cancelled
                self.transition(LifecycleEvent.GIVE_UP)

    async def _undo_prepare(self) -> None:
        if self.state is LifecycleState.PREPARED:
            self.send_signal(signal.SIGKILL)
            await self.wait_while(ACTIVE)

    async def _start(self, emit: Emit) -> None:
        if self._has_other_sources():
            await self._undo_prepare()
        await self._prepare(emit)
        self.transition(LifecycleEvent.START)
        try:
            await ports.unpublish_ports(self.ports)  # an earlier supervisor's, killed just here
            self.ports = await ports.publish_ports(
                self.context.holder.id, self.record, self.status.addresses
            )
            await runc.start(self.record.id, self.record.name)
        except BaseException as error:
            self.transition(LifecycleEvent.FAIL)
            await process.clean_up(self._abandon_start(str(error)))
            raise
        self._begin_run()
        for hook in self.record.definition.post_start:
            await hooks.run_hook(self.context, self.record, "post_start", hook, emit)

    async def republish_ports(self) -> None:
        """Publish the ports at another address, where the container has lost the one that they lead to."""
        addresses = self.status.addresses
        if self.ports and all(port.spec.child_ip in addresses.values() for port in self.ports):
            return
        former, self.ports = self.ports, ()
        await ports.unpublish_ports(former)
        self.ports = await ports.publish_ports(self.context.holder.id, self.record, addresses)
        self.write(published=ports.to_published(self.ports))

    def _has_other_sources(self) -> bool:
        """Return whether mounts would come from elsewhere now than when the container was prepared."""
        # To a one-off somebody is attached already; it was prepared after all that it waits for.
        if self.record.oneoff or self.state is not LifecycleState.PREPARED:
            return False
        return self._sources != source_snapshot.take_snapshot(self.context, self.record)

    async def _abandon_start(self, error: str) -> None:
        """Undo a start that failed: the container is created or exited, as before."""
        self.send_signal(signal.SIGKILL)
        await self.wait_while(ACTIVE)
        self.write(error=error)

    def _begin_run(self) -> None:
        """Note that the program was started."""
        self.transition(
            LifecycleEvent.STARTED,
            started=time.time(),
            finished=0,
            exit_code=0,
            stopped_by_user=False,
            oom_killed=False,
            published=ports.to_published(self.ports),
            health="starting" if health_monitor.has_healthcheck(self) else "",
            failing_streak=0,
            probes=(),
        )
        self.context.emit_event(self.record, "start")
        self.context.note(self.record, "started", cause=self._start_cause)
        self._begin_probing()

    def _begin_probing(self) -> None:
        if health_monitor.has_healthcheck(self):
            work = health_monitor.monitor_health(self.context, self)
            self._stop_probing = self.context.start_task(work, f"health of {self.record.name}")

    def stop_probing(self) -> None:
        """Run no health checks until the next start, or until it is unpaused."""
        self._stop_probing()
        self._stop_probing = _do_nothing

    async def thaw(self) -> None:
        """Let the container go on where it is paused; health checks, too."""
        if self.state is not LifecycleState.PAUSED:
            return
        if self._is_alive():
            await freezer.thaw(self.record.id, self.status.pid)
        if self.state is LifecycleState.PAUSED:  # it may have ended meanwhile
            self.transition(LifecycleEvent.UNPAUSE)
            self.context.emit_event(self.record, "unpause")
            self._begin_probing()

    def _watch(self) -> None:
        self.context.start_task(self._wait_for_end(), f"end of {self.record.name}")
        self._log_forwarder = self._create_forwarder()
        if self._log_forwarder is not None:
            work = self._log_forwarder.run()
            self._stop_forwarding = self.context.start_task(work, f"log of {self.record.name}")

    async def _wait_for_end(self) -> None:
        """Wait until conmon has written the exit status, or is gone with the container."""
        if conmon.is_conmon(self.status.conmon, self.record.id):
            await signals.wait_for_exit(self.status.conmon)
        if self._is_alive():
            # conmon was killed: nobody will know the status, and output is lost from now on.
            await signals.wait_for_exit(self.status.pid)
        # A short program ends before `runc start` has returned.
        await self.wait_while({LifecycleState.STARTING})
        code = conmon.read_exit_status(self.record.id)
        if was_oom_killed(self.record.id):
            self.write(oom_killed=True)
            self.context.emit_event(self.record, "oom")
        self.transition(LifecycleEvent.END)
        await self._tear_down(LOST_EXIT_CODE if code is None else code)

    async def _tear_down(self, code: int) -> None:
        """Remove what was set up for the run; what fails does not keep its end from being noted."""
        self.stop_probing()
        rotation.end_last_line(self.record)
        await self._end_forwarding()
        addresses = self.status.addresses
        try:
            await setup.tear_down(self.context, self.record, addresses)
        finally:
            self.ports = ()
            self._end_run(code)
            setup.note_end_of_use(self.record, addresses)
            if self.record.auto_remove and self.state is LifecycleState.EXITED:
                await self._delete(volumes=True)

    def _create_forwarder(self) -> "LogForwarder | None":
        """Create what sends the output elsewhere, where the log driver does. Raises `SyslogOptionInvalid`."""
        logging = self.record.definition.logging
        if logging is None or logging.driver != "syslog":
            return None
        # Imported here, since few need it.
        from cntnr_compose.containers.logs import syslog
        from cntnr_compose.containers.logs.forwarder import LogForwarder

        return LogForwarder(self.record, syslog.parse_options(logging.options, self.record))

    async def _end_forwarding(self) -> None:
        if self._log_forwarder is not None:
            await self._log_forwarder.finish()
        self._stop_forwarding()

    def _end_run(self, code: int) -> None:
        """Note the end of a run; start the timer of the next one where the restart policy says so."""
        status, now = self.status, time.time()
        if status.state not in RUNNING_STATES:  # the program was not started
            self.transition(LifecycleEvent.RESET, **NO_PROCESS)
            return
        self._restart = restart_policy.next_restart(
            self.record.definition.restart,
            exit_code=code,
            run_time=now - status.started,
            previous=self._restart,
            stopped_by_user=status.stopped_by_user,
        )
        event = LifecycleEvent.BACK_OFF if self._restart else LifecycleEvent.EXIT
        # A container that is to come back still belongs to this holder: gone with it, nobody starts it.
        holder = self.context.holder.id if self._restart else ""
        self.transition(event, finished=now, exit_code=code, **NO_PROCESS | {"holder": holder})
        note_end(self.context, self.record, self.status, self._restart, self._end_cause)
        self._end_cause = None
        more = {"restarting": "1"} if self._restart or self._start_follows else {}
        self.context.emit_event(self.record, "die", exitCode=str(code), **more)
        if self._restart is not None:
            work = self._restart_after(self._restart.delay)
            self._stop_timer = self.context.start_task(work, f"restart of {self.record.name}")

    async def _restart_after(self, delay: Seconds) -> None:
        await asyncio.sleep(delay)
        async with self._change_lock:
            if self.state is not LifecycleState.RESTARTING:
                return
            self._stop_timer = _do_nothing
            restarts = self.status.restarts + 1
            self._start_cause = f"restart policy, attempt {restarts}"
            try:
                await self._start(ignore_event)
            except CntnrError as error:
                self._give_up_restart(error=str(error), restarts=restarts)
                return
            self.write(restarts=restarts)
        self.context.emit_event(self.record, "restart")

    def _give_up_restart(self, **changes: Any) -> None:
        """Note that an automatic start failed; where only a hook did, the program runs on."""
        self.context.note(self.record, "start_failed", cause=changes["error"], command="")
        if self.state is LifecycleState.RESTARTING:
            self._cancel_restart()
            self.transition(LifecycleEvent.GIVE_UP, **changes)
        else:
            self.write(**changes)

    def _cancel_restart(self) -> None:
        self._restart = None
        self._stop_timer()
        self._stop_timer = _do_nothing

    def _is_alive(self) -> bool:
        """Return whether the first process is there, and not a later one with its pid."""
        return bool(self.status.pid) and proc.start_time(self.status.pid) == self.status.born

    def send_signal(self, number: int) -> None:
        """Send a signal to the first process, where it lives."""
        if self._is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.status.pid, number)

    async def _delete(self, *, volumes: bool) -> None:
        """Remove the container's files, once: it may have done so by itself when it ended."""
        if self.state is LifecycleState.REMOVED:
            return
        self.transition(LifecycleEvent.REMOVE)
        try:
            work = asyncio.to_thread(setup.remove_files, self.record, volumes=volumes)
            await process.run_shielded(work)
        except BaseException:
            self.transition(LifecycleEvent.FAIL)
            raise
        self.context.containers.pop(self.record.name, None)
        self.transition(LifecycleEvent.REMOVED)
        self.context.emit_event(self.record, "destroy")
