"""Attached `up`: starts what was made, shows what it writes, and stops it again when asked to."""

import contextlib
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from cntnr_compose.cli.display.log_printer import LogPrinter, short_name
from cntnr_compose.cli.display.progress import ProgressDisplay, choose_static_display, is_coloured
from cntnr_compose.cli.flows.interrupts import InterruptCounter
from cntnr_compose.cli.flows.log_follow import event_exit_code, show_next
from cntnr_compose.cli.flows.up_arguments import UpArguments
from cntnr_compose.cli.project.options import ProjectOptions
from cntnr_compose.cli.project.session import ProjectSession
from cntnr_compose.client import client as clients
from cntnr_compose.client.follow import ProjectStream, is_readable
from cntnr_compose.containers.logs.lines import LogRange
from cntnr_compose.containers.state import records
from cntnr_compose.core.events import ContainerEvent, Event, Progress
from cntnr_compose.core.values import Seconds
from cntnr_compose.model.plan import Plan, PrepareContainer, StartContainer, WaitFor, split_plan
from cntnr_compose.reconcile import teardown

if TYPE_CHECKING:
    from cntnr_compose.client.client import Client
    from cntnr_compose.model.observed import Record
    from cntnr_compose.model.project import Project

INTERRUPTED = 130
START_OPERATIONS = (PrepareContainer, StartContainer, WaitFor)
EVENT_TIMEOUT: Seconds = (
    2  # the end of a container is told on another line than that it was stopped
)


def run_attached_up(
    scope: ProjectOptions,
    mine: ProjectSession,
    project: "Project",
    asked: UpArguments,
    plan: Plan,
    *,
    watched: frozenset[str],
    shown: frozenset[str],
) -> int:
    """Carry a plan out and stay with what it starts; give the exit code.

    ``watched`` services keep it going, the output of ``shown`` ones is shown.
    """
    printer = LogPrinter(
        coloured=not asked.no_color and is_coloured(sys.stdout, scope.ansi),
        prefixes=not asked.no_log_prefix,
        timestamps=asked.timestamps,
    )
    console = choose_static_display(scope.progress, scope.ansi)
    return AttachedUp(mine, project, asked, console, printer, watched=watched, shown=shown).run(
        plan
    )


class AttachedUp:
    """One attached `up`."""

    def __init__(
        self,
        mine: ProjectSession,
        project: "Project",
        asked: UpArguments,
        console: ProgressDisplay,
        printer: LogPrinter,
        *,
        watched: frozenset[str],
        shown: frozenset[str],
    ) -> None:
        self._mine = mine
        self._project = project
        self._asked = asked
        self._console = console
        self._printer = printer
        self._watched = watched
        self._shown = shown
        self._running: set[str] = set()
        self._codes: dict[str, int] = {}  # of services that have ended
        self._first: int | None = None  # the exit code that ends everything

    def run(self, plan: Plan) -> int:
        """Carry the plan out and stay; give the exit code."""
        first, second = split_plan(plan, START_OPERATIONS)
        self._mine.execute(first, self._project)
        self._mine.display.finish()
        with contextlib.ExitStack() as undo:
            follower = undo.enter_context(clients.connect(self._project.name))
            self._stream = ProjectStream(self._project.name, follower, self._is_shown)
            undo.callback(self._stream.close)
            presses = undo.enter_context(InterruptCounter())
            self._begin()
            self._start(second, presses)
            while self._running and not presses.has_any() and self._first is None:
                self._look()
            if presses.has_any():
                self._console.print_line("Gracefully Stopping... press Ctrl+C again to force")
                self._stop(presses, enough=2)
                return INTERRUPTED
            if self._first is not None:
                self._console.print_line("Aborting on container exit...")
                self._stop(presses, enough=1)
                return INTERRUPTED if presses.has_any() else self._verdict()
        return 0

    def _is_shown(self, record: "Record") -> bool:
        return record.service in self._shown and not record.oneoff

    def _is_watched(self, record: "Record") -> bool:
        return record.service in self._watched and not record.oneoff

    def _begin(self) -> None:
        """Say who is attached to; what was written before is not shown."""
        found = records.read_containers(self._project.name)
        mine = [one.record for one in found if self._is_shown(one.record)]
        for _ in self._stream.read_history(mine, LogRange(tail=0)):
            pass
        self._printer.add_containers(mine)
        if mine:
            self._printer.print_message(
                f"Attaching to {', '.join(short_name(one) for one in mine)}"
            )
        self._running = {
            one.record.id for one in found if one.is_running and self._is_watched(one.record)
        }

    def _start(self, plan: Plan, presses: InterruptCounter) -> None:
        """Start what was made, showing output all the while."""
        client = self._mine.client
        assert client is not None
        if self._execute(client, plan, self._tell_trouble, presses.has_any):
            client.unlock()
        else:
            client.close()  # what is under way is cancelled

    def _execute(
        self,
        client: "Client",
        plan: Plan,
        tell: Callable[[Event], None],
        gives_up: Callable[[], bool],
    ) -> bool:
        """Have a plan carried out while showing what happens; False where that is given up."""
        if not plan.steps:
            return True
        client.start_executing(plan)
        while not gives_up():
            self._look(client)
            while client.has_buffered_reply or is_readable(client):
                try:
                    event = client.next_reply()
                except BaseException:
                    self._look()  # the output that explains the failure
                    raise
                if event is None:
                    return True
                tell(event)
        return False

    def _tell_trouble(self, event: Event) -> None:
        if not isinstance(event, Progress) or event.state in ("warning", "error"):
            self._console.emit(event)

    def _look(self, *others: "Client") -> None:
        """Show what happens in a moment, and take note of who starts and ends."""
        for event in show_next(self._stream, self._printer, others):
            self._note(event)

    def _note(self, event: ContainerEvent) -> None:
        record = self._stream.records.get(event.id)
        if record is None or not self._is_watched(record):
            return
        if event.action in ("create", "start"):  # a new one is there before the old one goes
            self._running.add(event.id)
        elif event.action == "destroy":
            self._running.discard(event.id)
        elif event.action == "die" and not self._stream.will_restart(event):
            self._running.discard(event.id)
            code = event_exit_code(event)
            self._codes[record.service] = code
            aborts = self._asked.abort_condition
            if self._first is None and (aborts == "exit" or (aborts == "failure" and code)):
                self._first = code

    def _stop(self, presses: InterruptCounter, *, enough: int) -> None:
        """Stop the services that were selected; kill them when there were ``enough`` presses.

        The count is that of the whole command: who presses as soon as he reads that he may is heard.
        """
        name, services = self._project.name, self._asked.services
        with clients.connect(name) as client:
            client.lock("up", self._console.emit)
            plan = teardown.plan_stop(
                self._project, client.observe(), services, timeout=self._asked.timeout
            )
            done = self._execute(client, plan, self._console.emit, lambda: presses.count >= enough)
        if not done:
            with clients.connect(name) as client:
                plan = teardown.plan_kill(self._project, client.observe(), services)
                self._execute(client, plan, self._console.emit, lambda: False)
        end = time.monotonic() + EVENT_TIMEOUT
        while self._running and time.monotonic() < end:
            self._look()

    def _verdict(self) -> int:
        if self._asked.exit_code_from:
            return self._codes.get(self._asked.exit_code_from, self._first or 0)
        return self._first or 0
