"""`cntnr compose start`."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command, flag, option, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@flag("--wait", text="Wait until services run or are healthy.")
@option("--wait-timeout", kind=int, metavar="SECONDS", help="Longest time to wait.")
def start(
    scope: "ProjectOptions", services: tuple[str, ...], *, wait: bool, wait_timeout: int | None
) -> None:
    """Start containers that exist."""
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.reconcile import restart

    with scope.display() as console:
        name, project = scope.resolve_name_and_project(console)
        with locked_project(scope, name, "start", console, makes=False) as mine:
            mine.execute(
                restart.plan_start(
                    project, mine.observed, services, wait=wait, wait_timeout=wait_timeout
                )
            )
