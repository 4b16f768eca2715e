"""`cntnr compose stop`: stop containers."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command, services, timeout

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@timeout
def stop(options: "ProjectOptions", services: tuple[str, ...], *, timeout: int | None) -> None:
    """Stop containers; they stay, and `start` starts them again."""
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.providers.lifecycle import end_providers
    from cntnr_compose.reconcile.teardown import plan_stop

    with options.display() as display:
        name, project = options.resolve_name_and_project(display)
        with locked_project(options, name, "stop", display, always_connect=False) as session:
            session.execute(plan_stop(project, session.observed, services, timeout=timeout))
            end_providers(options.provider_calls, project, "stop", services, display.emit)
