"""Attached `up`: start containers, print their output, stop them on Ctrl-C or when one exits."""

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
from cntnr_compose.client.boot import service_manager
from cntnr_compose.client.follow import ProjectStream, is_readable
from cntnr_compose.containers.logs.lines import LogRange
from cntnr_compose.containers.state import records
from cntnr_compose.core.events import ContainerEvent, Emit, Event, Progress
from cntnr_compose.core.values import Seconds
from cntnr_compose.model.plan import Plan, PrepareContainer, StartContainer, WaitFor, split_plan
from cntnr_compose.providers.lifecycle import end_providers
from cntnr_compose.reconcile import teardown

if TYPE_CHECKING:
    from cntnr_compose.cli.keyboard_menu import KeyboardMenu
    from cntnr_compose.cli.up_controls import UpControls
    from cntnr_compose.client.client import Client
    from cntnr_compose.model.observed import Record
    from cntnr_compose.model.project import Project

INTERRUPTED = 130
START_OPERATIONS = (PrepareContainer, StartContainer, WaitFor)
# Events and replies come over different connections: the exit may be known after the stop is done.
EVENT_TIMEOUT: Seconds = 2


def plan_before_start(plan: Plan) -> Plan:
    """Return the steps that are done before the output of containers is printed."""
    return split_plan(plan, START_OPERATIONS)[0]


def run_attached_up(
    options: ProjectOptions,
    session: ProjectSession,
    project: "Project",
    arguments: UpArguments,
    plan: Plan,
    *,
    watched: frozenset[str],
    shown: frozenset[str],
) -> int:
    """Execute a plan, stay attached to the containers, and return the exit code.

    It ends when no container of ``watched`` services runs; output of ``shown`` services is printed.
    """
    menu = None
    if sys.stdin.isatty() and sys.stdout.isatty() and arguments.has_menu(project, options):
        from cntnr_compose.cli.keyboard_menu import create_menu

        menu = create_menu(coloured=is_coloured(sys.stdout, options.ansi))
    out, err = (menu.wrap(sys.stdout), menu.wrap(sys.stderr)) if menu else (sys.stdout, sys.stderr)
    printer = LogPrinter(
        coloured=not arguments.no_color and is_coloured(sys.stdout, options.ansi),
        prefixes=not arguments.no_log_prefix,
        timestamps=arguments.timestamps,
        streams=(out.buffer, err.buffer),
    )
    display = choose_static_display(options.progress, options.ansi)
    attached = AttachedUp(
        session, project, arguments, display, printer, watched=watched, shown=shown
    )
    if menu is None and not arguments.watch:
        exit_code = attached.run(plan)
    else:
        exit_code = _run_with_controls(options, attached, project, arguments, plan, menu)
    if attached.has_stopped:
        end_providers(options.provider_calls, project, "stop", arguments.services, display.emit)
    return exit_code


def _run_with_controls(
    options: ProjectOptions,
    attached: "AttachedUp",
    project: "Project",
    arguments: UpArguments,
    plan: Plan,
    menu: "KeyboardMenu | None",
) -> int:
    """Execute a plan beside a menu or a watch of files."""
    display, printer = attached.display, attached.printer
    if menu is not None:
        display.stream = menu.wrap(display.stream)
    from cntnr_compose.cli.up_controls import UpControls
    from cntnr_compose.watch.process import WatchJob

    job = WatchJob(
        project=project,
        services=arguments.services,
        quiet=arguments.quiet_build,
        separator=options.name_separator(project),
    )
    with UpControls(job, printer, display, menu) as controls:
        return attached.run(plan, controls)


class AttachedUp:
    """One attached `up`: create, start, print output, stop on an interrupt or exit."""

    def __init__(
        self,
        session: ProjectSession,
        project: "Project",
        arguments: UpArguments,
        display: ProgressDisplay,
        printer: LogPrinter,
        *,
        watched: frozenset[str],
        shown: frozenset[str],
    ) -> None:
        self._session = session
        self._project = project
        self._arguments = arguments
        self.display = display
        self.printer = printer
        self._watched = watched
        self._shown = shown
        self._running: set[str] = set()  # ids
        self._exit_codes: dict[str, int] = {}  # by service
        self._aborting_exit_code: int | None = None
        self._controls: UpControls | None = None
        self.has_stopped = False  # the containers, after an interrupt or an exit

    def run(self, plan: Plan, controls: "UpControls | None" = None) -> int:
        """Execute the plan and stay attached; return the exit code."""
        if controls is not None and self._arguments.watch:
            controls.prepare_watch()
        before_start, starting = split_plan(plan, START_OPERATIONS)
        self._session.execute(before_start, self._project)
        self._session.display.finish()
        with contextlib.ExitStack() as undo:
            follower = undo.enter_context(clients.connect(self._project.name))
            self._stream = ProjectStream(self._project.name, follower, self._is_shown)
            undo.callback(self._stream.close)
            interrupts = undo.enter_context(InterruptCounter())
            self._attach()
            self._take_controls(controls)
            self._start(starting, interrupts)
            if controls is not None and not interrupts.has_any():
                controls.start_watch()
            while self._is_attached() and not interrupts.has_any():
                self._print_next()
            self._take_controls(None)
            if interrupts.has_any():
                self.display.print_line("Gracefully Stopping... press Ctrl+C again to force")
                self._stop(interrupts, kill_at=2)
                return INTERRUPTED
            if self._aborting_exit_code is not None:
                self.display.print_line("Aborting on container exit...")
                self._stop(interrupts, kill_at=1)
                return INTERRUPTED if interrupts.has_any() else self._exit_code()
        return 0

    def _take_controls(self, controls: "UpControls | None") -> None:
        """Take the keyboard and watch files, or leave off."""
        if self._controls is not None:
            self._controls.close()
        self._controls = controls
        if controls is not None:
            controls.take_keyboard()

    def _is_attached(self) -> bool:
        is_detached = self._controls is not None and self._controls.is_detached
        return bool(self._running) and self._aborting_exit_code is None and not is_detached

    def _is_shown(self, record: "Record") -> bool:
        return record.service in self._shown and not record.oneoff

    def _is_watched(self, record: "Record") -> bool:
        return record.service in self._watched and not record.oneoff

    def _attach(self) -> None:
        """Print which containers are attached to; skip their output so far."""
        containers = records.read_containers(self._project.name)
        shown = [one.record for one in containers if self._is_shown(one.record)]
        for _ in self._stream.read_history(shown, LogRange(tail=0)):
            pass
        self.printer.add_containers(shown)
        if shown:
            names = ", ".join(map(short_name, shown))
            self.printer.print_message(f"Attaching to {names}")
        self._running = {
            container.record.id
            for container in containers
            if container.is_running and self._is_watched(container.record)
        }

    def _start(self, plan: Plan, interrupts: InterruptCounter) -> None:
        """Start the containers, printing output all the while."""
        client = self._session.client
        assert client is not None
        if self._execute(client, plan, self._show_trouble, interrupts.has_any):
            client.unlock()
            service_manager.tell_ready(f"{self._project.name} runs", self.display.emit)
        else:
            client.close()  # cancels the plan

    def _execute(
        self,
        client: "Client",
        plan: Plan,
        emit: Emit,
        is_cancelled: Callable[[], bool],
    ) -> bool:
        """Execute a plan while printing output; return False if it was cancelled."""
        if not plan.steps:
            return True
        client.start_executing(plan)
        while not is_cancelled():
            self._print_next(client)
            while client.has_buffered_reply or is_readable(client):
                try:
                    event = client.next_reply()
                except BaseException:
                    self._print_next()  # the output may explain the failure
                    raise
                if event is None:
                    return True
                emit(event)
        return False

    def _show_trouble(self, event: Event) -> None:
        if not isinstance(event, Progress) or event.state in ("warning", "error"):
            self.display.emit(event)

    def _print_next(self, *others: "Client") -> None:
        """Print the next output and exits, and keep track of what runs."""
        controls = self._controls
        readers = (*others, *controls.readers) if controls else others
        for event in show_next(self._stream, self.printer, readers):
            self._track(event)
        if controls:
            controls.handle()

    def _track(self, event: ContainerEvent) -> None:
        record = self._stream.records.get(event.id)
        if record is None or not self._is_watched(record):
            return
        if event.action in ("create", "start"):  # a replacement is created before the old one goes
            self._running.add(event.id)
        elif event.action == "destroy":
            self._running.discard(event.id)
        elif event.action == "die" and not self._stream.will_restart(event):
            self._running.discard(event.id)
            code = event_exit_code(event)
            self._exit_codes[record.service] = code
            condition = "" if self._is_replaced(record) else self._arguments.abort_condition
            aborts = condition == "exit" or (condition == "failure" and code != 0)
            if aborts and self._aborting_exit_code is None:
                self._aborting_exit_code = code

    def _is_replaced(self, record: "Record") -> bool:
        """Tell whether a container has ended because another one takes its place."""
        others = (self._stream.records[identity] for identity in self._running)
        return any((one.service, one.number) == (record.service, record.number) for one in others)

    def _stop(self, interrupts: InterruptCounter, *, kill_at: int) -> None:
        """Stop the selected services; kill them after the interrupt of number ``kill_at``.

        Interrupts count from the start of the command: one that comes together with the message counts.
        """
        self.has_stopped = True
        service_manager.tell_stopping()
        name, services = self._project.name, self._arguments.services
        with clients.connect(name) as client:
            client.lock("up", self.display.emit)
            plan = teardown.plan_stop(
                self._project, client.observe(), services, timeout=self._arguments.timeout
            )
            is_stopped = self._execute(
                client, plan, self.display.emit, lambda: interrupts.count >= kill_at
            )
        if not is_stopped:
            with clients.connect(name) as client:
                plan = teardown.plan_kill(self._project, client.observe(), services)
                self._execute(client, plan, self.display.emit, lambda: False)
        end = time.monotonic() + EVENT_TIMEOUT
        while self._running and time.monotonic() < end:
            self._print_next()

    def _exit_code(self) -> int:
        code = self._aborting_exit_code or 0
        return self._exit_codes.get(self._arguments.exit_code_from, code)
