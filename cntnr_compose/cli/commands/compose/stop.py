"""`cntnr compose stop`."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import services, timeout, verb

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import Scope


@verb("[SERVICE...]")
@services
@timeout
def stop(scope: "Scope", services: tuple[str, ...], *, timeout: int | None) -> None:
    """Stop containers; they stay, and `start` starts them again."""
    from cntnr_compose.cli.project.session import turn
    from cntnr_compose.reconcile import teardown

    with scope.console() as console:
        name, project = scope.named(console)
        with turn(scope, name, "stop", console, makes=False) as mine:
            mine.execute(teardown.plan_stop(project, mine.observed, services, timeout=timeout))
