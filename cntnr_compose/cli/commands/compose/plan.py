"""`cntnr compose plan`: print what `up` would do, and why."""

from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.parser.options import command, flag, option, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@flag("--always-recreate-deps", help="Recreate dependencies too.")
@flag("--force-recreate", help="Recreate containers that did not change, too.")
@flag("--no-deps", help="Leave out the services that these depend on.")
@flag("--no-recreate", help="Leave containers that exist as they are.")
@flag("--no-start", help="Create, but do not start.")
@flag("--remove-orphans", help="Remove containers of services that the file has not.")
@option("--scale", multiple=True, metavar="SERVICE=NUM", help="Number of containers of a service.")
@flag("--wait", help="Wait until services run or are healthy.")
def plan(options: "ProjectOptions", services: tuple[str, ...], **values: Any) -> None:
    """Print what `up` would do, step by step, and why; nothing is changed."""
    from cntnr_compose.cli.flows.up import print_plan
    from cntnr_compose.cli.flows.up_arguments import UpArguments

    print_plan(options, UpArguments(services=services, **values))
