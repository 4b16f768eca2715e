"""`cntnr compose create`: create containers without starting them."""

from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.parser.options import command, flag, option, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@flag("--build", help="Build images first.")
@flag("--force-recreate", help="Recreate containers that did not change, too.")
@flag("--no-build", help="Build nothing, even where an image is missing.")
@flag("--no-recreate", help="Leave containers that exist as they are.")
@option(
    "--pull",
    default="policy",
    metavar="POLICY",
    values=("always", "missing", "never"),
    help="always, missing or never.",
)
@flag("--quiet-pull", help="Do not show the progress of pulls.")
@flag("--remove-orphans", help="Remove containers of services that the file has not.")
@option("--scale", multiple=True, metavar="SERVICE=NUM", help="Number of containers of a service.")
@flag("-y", "--yes", help="Yes to every question: also recreate changed volumes.")
def create(options: "ProjectOptions", services: tuple[str, ...], **values: Any) -> None:
    """Create containers of services without starting them."""
    from cntnr_compose.cli.flows.up import bring_up
    from cntnr_compose.cli.flows.up_arguments import UpArguments

    bring_up(options, "create", UpArguments(services=services, no_start=True, **values))
