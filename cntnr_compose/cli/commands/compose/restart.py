"""`cntnr compose restart`: stop containers and start them again."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command, flag, services, timeout

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@flag("--no-deps", help="Leave out services that are restarted with these.")
@timeout
def restart(
    options: "ProjectOptions", services: tuple[str, ...], *, no_deps: bool, timeout: int | None
) -> None:
    """Stop containers and start them again, as they are.

    Changes of the compose file do not come into them: `up` does that.
    """
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.reconcile.restart import plan_restart

    with options.display() as display:
        name, project = options.resolve_name_and_project(display)
        with locked_project(options, name, "restart", display, always_connect=False) as session:
            session.execute(
                plan_restart(
                    project, session.observed, services, dependencies=not no_deps, timeout=timeout
                )
            )
