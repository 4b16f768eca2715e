"""`cntnr compose stop`."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command, services, timeout

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@timeout
def stop(scope: "ProjectOptions", services: tuple[str, ...], *, timeout: int | None) -> None:
    """Stop containers; they stay, and `start` starts them again."""
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.reconcile import teardown

    with scope.display() as console:
        name, project = scope.resolve_name_and_project(console)
        with locked_project(scope, name, "stop", console, makes=False) as mine:
            mine.execute(teardown.plan_stop(project, mine.observed, services, timeout=timeout))
