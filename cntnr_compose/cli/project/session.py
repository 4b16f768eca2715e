"""A project's turn: look at what is, make a plan of it, have it carried out."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.display.progress import ProgressDisplay
from cntnr_compose.cli.project.options import ProjectOptions
from cntnr_compose.core.errors import RemoteError
from cntnr_compose.core.events import Progress, WarningEvent

if TYPE_CHECKING:
    from cntnr_compose.client.client import Client
    from cntnr_compose.model.observed import Observed
    from cntnr_compose.model.plan import Plan
    from cntnr_compose.model.project import Project


PROGRAM_FAILURE_CODES = (126, 127)  # it may not be run, it is not there


class ProjectSession:
    """What a verb has while nobody else changes the project."""

    def __init__(
        self, observed: "Observed", client: "Client | None", display: ProgressDisplay
    ) -> None:
        """Take what was found; without a ``client`` plans are printed, not carried out."""
        self.observed = observed
        self.client = client
        self.display = display

    def execute(self, plan: "Plan", project: "Project | None" = None) -> None:
        """Have a plan carried out, and draw its events; in a dry run, print it.

        Raises what went wrong.
        """
        self.show_notices(plan)
        if self.client is None:
            from cntnr_compose.model.plan import render_plan

            self.display.finish()
            out.write(render_plan(plan))
        elif plan.steps or project is not None:
            self.client.execute(plan, project=project, emit=self.display.emit)

    def show_notices(self, plan: "Plan") -> None:
        """Draw a plan's warnings, and what is as it should be."""
        for text in plan.warnings:
            self.display.emit(WarningEvent(text=text))
        for name in plan.unchanged:
            self.display.emit(Progress(kind="Container", name=name, status="Running", state="done"))


@contextlib.contextmanager
def locked_project(
    scope: ProjectOptions, name: str, what: str, console: ProgressDisplay, *, makes: bool = True
) -> Iterator[ProjectSession]:
    """Take the turn of project ``name`` for the verb ``what``; a dry run only looks.

    A verb that ``makes`` nothing starts no supervisor where nothing is there. Raises `CntnrError`.
    """
    try:
        with _locked_project(scope, name, what, console, makes=makes) as mine:
            yield mine
    except RemoteError as error:
        if what != "run" and error.exit_code in PROGRAM_FAILURE_CODES:
            error.exit_code = 1  # only who runs a program ends as it would
        raise


@contextlib.contextmanager
def _locked_project(
    scope: ProjectOptions, name: str, what: str, console: ProgressDisplay, *, makes: bool
) -> Iterator[ProjectSession]:
    if scope.dry_run or not (makes or project_exists(name)):
        from cntnr_compose.client.observe import observe_for_plan

        yield ProjectSession(observe_for_plan(name), None, console)
        return
    from cntnr_compose.client.client import connect

    with connect(name, emit=console.emit) as client:
        client.lock(what, console.emit)
        yield ProjectSession(client.observe(), client, console)


def project_exists(name: str) -> bool:
    """Tell from files whether there is anything of a project, be it only what a crash has left."""
    from cntnr_compose.client.observe import is_supervised, observe_project
    from cntnr_compose.core import paths

    if paths.intent(name).exists() or is_supervised(name):
        return True
    return bool(observe_project(name).containers)
