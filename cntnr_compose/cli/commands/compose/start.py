"""`cntnr compose start`."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import flag, option, services, verb

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import Scope


@verb("[SERVICE...]")
@services
@flag("--wait", text="Wait until services run or are healthy.")
@option("--wait-timeout", kind=int, metavar="SECONDS", help="Longest time to wait.")
def start(
    scope: "Scope", services: tuple[str, ...], *, wait: bool, wait_timeout: int | None
) -> None:
    """Start containers that exist."""
    from cntnr_compose.cli.project.session import turn
    from cntnr_compose.reconcile import restart

    with scope.console() as console:
        name, project = scope.named(console)
        with turn(scope, name, "start", console, makes=False) as mine:
            mine.execute(
                restart.plan_start(
                    project, mine.observed, services, wait=wait, wait_timeout=wait_timeout
                )
            )
