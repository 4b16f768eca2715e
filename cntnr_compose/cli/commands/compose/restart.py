"""`cntnr compose restart`."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command, flag, services, timeout

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@flag("--no-deps", text="Not those that want to be restarted with these.")
@timeout
def restart(
    scope: "ProjectOptions", services: tuple[str, ...], *, no_deps: bool, timeout: int | None
) -> None:
    """Stop containers and start them again."""
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.reconcile import restart as plan

    with scope.display() as console:
        name, project = scope.resolve_name_and_project(console)
        with locked_project(scope, name, "restart", console, makes=False) as mine:
            mine.execute(
                plan.plan_restart(
                    project, mine.observed, services, dependencies=not no_deps, timeout=timeout
                )
            )
