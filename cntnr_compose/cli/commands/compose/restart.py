"""`cntnr compose restart`."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import flag, services, timeout, verb

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import Scope


@verb("[SERVICE...]")
@services
@flag("--no-deps", text="Not those that want to be restarted with these.")
@timeout
def restart(
    scope: "Scope", services: tuple[str, ...], *, no_deps: bool, timeout: int | None
) -> None:
    """Stop containers and start them again."""
    from cntnr_compose.cli.project.session import turn
    from cntnr_compose.reconcile import restart as plan

    with scope.console() as console:
        name, project = scope.named(console)
        with turn(scope, name, "restart", console, makes=False) as mine:
            mine.execute(
                plan.plan_restart(
                    project, mine.observed, services, dependencies=not no_deps, timeout=timeout
                )
            )
