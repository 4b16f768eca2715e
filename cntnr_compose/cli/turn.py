"""A project's turn: look at what is, make a plan of it, have it carried out."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from cntnr_compose.cli.console import Console
from cntnr_compose.cli.scope import Scope
from cntnr_compose.core.events import Warned
from cntnr_compose.core.values import Tree

if TYPE_CHECKING:
    from cntnr_compose.engine.client import Client
    from cntnr_compose.model.observed import Observed
    from cntnr_compose.model.project import Project
    from cntnr_compose.plan.operations import Plan


class Turn:
    """What a verb has while nobody else changes the project."""

    def __init__(self, observed: "Observed", client: "Client | None", console: Console) -> None:
        self.observed = observed
        self.client = client
        self._console = console

    def execute(self, plan: "Plan", project: "Project | None" = None) -> Tree:
        """Have a plan carried out, and draw its events; in a dry run, print it.

        Raises what went wrong.
        """
        for text in plan.warnings:
            self._console.tell(Warned(text=text))
        if self.client is not None:
            return self.client.execute(plan, project=project, tell=self._console.tell)
        from cntnr_compose.plan.operations import render

        self._console.settle()
        click.echo(render(plan), nl=False)
        return {}


@contextlib.contextmanager
def turn(scope: Scope, name: str, what: str, console: Console) -> Iterator[Turn]:
    """Take the turn of project ``name`` for the verb ``what``; a dry run looks at files only.

    Raises `CntnrError`.
    """
    if scope.dry_run:
        from cntnr_compose.engine.observe import observe

        yield Turn(observe(name), None, console)
        return
    from cntnr_compose.engine.client import connect

    with connect(name) as client:
        client.begin(what, console.tell)
        yield Turn(client.observe(), client, console)


def is_there(name: str) -> bool:
    """Tell from files whether there is anything of a project."""
    from cntnr_compose.engine.observe import observe

    found = observe(name)
    return bool(found.containers or found.networks or found.volumes)
