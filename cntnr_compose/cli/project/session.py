"""A project's turn: look at what is, make a plan of it, have it carried out."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.display.progress import Console
from cntnr_compose.cli.project.options import Scope
from cntnr_compose.core.errors import RemoteError
from cntnr_compose.core.events import Progress, WarningEvent

if TYPE_CHECKING:
    from cntnr_compose.client.client import Client
    from cntnr_compose.model.observed import Observed
    from cntnr_compose.model.plan import Plan
    from cntnr_compose.model.project import Project


PROGRAM_FAILED = (126, 127)  # it may not be run, it is not there


class Turn:
    """What a verb has while nobody else changes the project."""

    def __init__(self, observed: "Observed", client: "Client | None", console: Console) -> None:
        """Take what was found; without a ``client`` plans are printed, not carried out."""
        self.observed = observed
        self.client = client
        self.console = console

    def execute(self, plan: "Plan", project: "Project | None" = None) -> None:
        """Have a plan carried out, and draw its events; in a dry run, print it.

        Raises what went wrong.
        """
        self.announce(plan)
        if self.client is None:
            from cntnr_compose.model.plan import render_plan

            self.console.settle()
            out.write(render_plan(plan))
        elif plan.steps or project is not None:
            self.client.execute(plan, project=project, emit=self.console.tell)

    def announce(self, plan: "Plan") -> None:
        """Draw a plan's warnings, and what is as it should be."""
        for text in plan.warnings:
            self.console.tell(WarningEvent(text=text))
        for name in plan.unchanged:
            self.console.tell(Progress(kind="Container", name=name, status="Running", state="done"))


@contextlib.contextmanager
def turn(
    scope: Scope, name: str, what: str, console: Console, *, makes: bool = True
) -> Iterator[Turn]:
    """Take the turn of project ``name`` for the verb ``what``; a dry run only looks.

    A verb that ``makes`` nothing starts no supervisor where nothing is there. Raises `CntnrError`.
    """
    try:
        with _turn(scope, name, what, console, makes=makes) as mine:
            yield mine
    except RemoteError as error:
        if what != "run" and error.exit_code in PROGRAM_FAILED:
            error.exit_code = 1  # only who runs a program ends as it would
        raise


@contextlib.contextmanager
def _turn(scope: Scope, name: str, what: str, console: Console, *, makes: bool) -> Iterator[Turn]:
    if scope.dry_run or not (makes or is_there(name)):
        from cntnr_compose.client.observe import observe_for_plan

        yield Turn(observe_for_plan(name), None, console)
        return
    from cntnr_compose.client.client import connect

    with connect(name, tell=console.tell) as client:
        client.lock(what, console.tell)
        yield Turn(client.observe(), client, console)


def is_there(name: str) -> bool:
    """Tell from files whether there is anything of a project, be it only what a crash has left."""
    from cntnr_compose.client.observe import is_supervised, observe_project
    from cntnr_compose.core import paths

    if paths.intent(name).exists() or is_supervised(name):
        return True
    return bool(observe_project(name).containers)
