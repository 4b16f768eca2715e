"""Hold the change lock of a project: observe it, execute plans, or show what they would do."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cntnr_compose.cli.display.progress import ProgressDisplay
from cntnr_compose.cli.project.options import ProjectOptions
from cntnr_compose.core.errors import CntnrError, RemoteError
from cntnr_compose.core.events import Event, Progress, WarningEvent

if TYPE_CHECKING:
    from cntnr_compose.client.client import Client
    from cntnr_compose.model.observed import Observed
    from cntnr_compose.model.plan import Plan
    from cntnr_compose.model.project import Project


PROGRAM_FAILURE_CODES = (126, 127)  # cannot be executed, not found


class NotInDryRun(CntnrError):
    """A command that would connect a terminal to a container is asked for as a dry run."""

    hint = "with --detach it can be done as a dry run"

    def __init__(self, what: str) -> None:
        super().__init__(f"interactive {what} is not supported in dry-run mode")


class ProjectSession:
    """What a command works with while it holds the lock: the observed project, a client, a display."""

    def __init__(
        self,
        observed: "Observed",
        client: "Client | None",
        display: ProgressDisplay,
        *,
        parallel: int = 0,
    ) -> None:
        """Take what was observed; without a ``client`` plans are shown, not executed.

        At most ``parallel`` steps are executed at once, unless it is 0.
        """
        self.observed = observed
        self.client = client
        self.display = display
        self._parallel = parallel

    def execute(self, plan: "Plan", project: "Project | None" = None) -> None:
        """Execute a plan and show its events; in a dry run, show the events that it would have.

        Raises what went wrong.
        """
        self.show_notices(plan)
        if self.client is None:
            from cntnr_compose.cli.project.plan_progress import list_progress

            for event in list_progress(plan):
                self.display.emit(event)
        elif plan.steps or project is not None:
            plan = self.limit_steps(plan)
            self.client.execute(plan, project=project, emit=self.emit)

    def emit(self, event: Event) -> None:
        """Show an event of a plan."""
        self.display.emit(event)

    def limit_steps(self, plan: "Plan") -> "Plan":
        """Limit how many steps of a plan run at once, by ``--parallel``."""
        if not self._parallel:
            return plan
        from cntnr_compose.core.values import replace

        return replace(plan, parallel=self._parallel)

    def show_notices(self, plan: "Plan") -> None:
        """Show a plan's warnings, and the containers that it leaves as they are."""
        for text in plan.warnings:
            self.display.emit(WarningEvent(text=text))
        for name in plan.unchanged:
            self.display.emit(Progress(kind="Container", name=name, status="Running", state="done"))


@contextlib.contextmanager
def locked_project(
    options: ProjectOptions,
    name: str,
    command: str,
    display: ProgressDisplay,
    *,
    always_connect: bool = True,
) -> Iterator[ProjectSession]:
    """Lock project ``name`` for a command; a dry run only observes it.

    Unless ``always_connect`` no supervisor is started for a project that does not exist. Raises `CntnrError`.
    """
    try:
        with _locked_project(
            options, name, command, display, always_connect=always_connect
        ) as session:
            yield session
    except RemoteError as error:
        if command != "run" and error.exit_code in PROGRAM_FAILURE_CODES:
            error.exit_code = 1  # only `run` exits as the program
        raise


@contextlib.contextmanager
def _locked_project(
    options: ProjectOptions,
    name: str,
    command: str,
    display: ProgressDisplay,
    *,
    always_connect: bool,
) -> Iterator[ProjectSession]:
    if options.dry_run or not (always_connect or project_exists(name)):
        from cntnr_compose.client.observe import observe_for_plan

        yield ProjectSession(observe_for_plan(name), None, display)
        return
    from cntnr_compose.client.client import connect

    with connect(name, emit=display.emit) as client:
        client.lock(command, display.emit)
        yield ProjectSession(client.observe(), client, display, parallel=options.limit)


def project_exists(name: str) -> bool:
    """Tell from files whether anything of a project exists, if only remains of a crash."""
    from cntnr_compose.client.observe import is_supervised, observe_project
    from cntnr_compose.core import paths

    if paths.intent(name).exists() or is_supervised(name):
        return True
    return bool(observe_project(name).containers)
