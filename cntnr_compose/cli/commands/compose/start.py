"""`cntnr compose start`: start containers that exist."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command, flag, option, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@flag("--wait", help="Wait until services run or are healthy.")
@option("--wait-timeout", kind=int, metavar="SECONDS", help="Longest time to wait.")
@flag("--after-boot", help="Only what its restart policy starts after a reboot.")
def start(
    options: "ProjectOptions",
    services: tuple[str, ...],
    *,
    wait: bool,
    wait_timeout: int | None,
    after_boot: bool,
) -> int:
    """Start containers that exist: those that `stop` stopped, or `create` made."""
    if after_boot:
        from cntnr_compose.cli.flows.boot import start_after_boot

        return start_after_boot(options)
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.reconcile.restart import plan_start

    with options.display() as display:
        name, project = options.resolve_name_and_project(display)
        with locked_project(options, name, "start", display, always_connect=False) as session:
            session.execute(
                plan_start(
                    project, session.observed, services, wait=wait, wait_timeout=wait_timeout
                )
            )
    return 0
