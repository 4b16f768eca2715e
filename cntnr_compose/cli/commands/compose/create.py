"""`cntnr compose create`: containers, but not started."""

from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.parser.options import command, flag, option, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@flag("--build", text="Build images first.")
@flag("--force-recreate", text="Recreate containers that did not change, too.")
@flag("--no-build", text="Build nothing, even where an image is missing.")
@flag("--no-recreate", text="Leave containers that exist as they are.")
@option("--pull", default="policy", metavar="POLICY", help="always, missing or never.")
@flag("--quiet-pull", text="Do not show the progress of pulls.")
@flag("--remove-orphans", text="Remove containers of services that the file has not.")
@option("--scale", multiple=True, metavar="SERVICE=NUM", help="So many containers.")
@flag("-y", "--yes", text="Yes to every question: also recreate changed volumes.")
def create(scope: "ProjectOptions", services: tuple[str, ...], **given: Any) -> None:
    """Create containers without starting them."""
    from cntnr_compose.cli.flows.up import bring_up
    from cntnr_compose.cli.flows.up_arguments import UpArguments

    bring_up(scope, "create", UpArguments(services=services, no_start=True, **given))
