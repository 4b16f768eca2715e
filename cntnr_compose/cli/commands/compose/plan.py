"""`cntnr compose plan`: what `up` would do, and why; nothing is done."""

from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.parser.options import command, flag, option, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@flag("--always-recreate-deps", text="Recreate dependencies too.")
@flag("--force-recreate", text="Recreate containers that did not change, too.")
@flag("--no-deps", text="Without the services that these depend on.")
@flag("--no-recreate", text="Leave containers that exist as they are.")
@flag("--no-start", text="Create, but do not start.")
@flag("--remove-orphans", text="Remove containers of services that the file has not.")
@option("--scale", multiple=True, metavar="SERVICE=NUM", help="So many containers.")
@flag("--wait", text="Wait until services run or are healthy.")
def plan(scope: "ProjectOptions", services: tuple[str, ...], **given: Any) -> None:
    """Print what `up` would do, step by step."""
    from cntnr_compose.cli.flows.up import bring_up
    from cntnr_compose.cli.flows.up_arguments import UpArguments

    bring_up(scope.replace(dry_run=True), "plan", UpArguments(services=services, **given))
