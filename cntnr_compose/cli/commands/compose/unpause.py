"""`cntnr compose unpause`: let paused containers go on."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
def unpause(options: "ProjectOptions", services: tuple[str, ...]) -> None:
    """Let the processes of paused containers go on."""
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.reconcile.restart import plan_pause

    with options.display() as display:
        name, project = options.resolve_name_and_project(display)
        with locked_project(options, name, "unpause", display, always_connect=False) as session:
            session.execute(plan_pause(project, session.observed, services, unpause=True))
