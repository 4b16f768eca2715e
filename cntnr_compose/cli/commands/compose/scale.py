"""`cntnr compose scale`: change the number of containers of services."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import argument, command, flag

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("SERVICE=REPLICAS...")
@argument("counts", many=True, metavar="SERVICE=REPLICAS...")
@flag("--no-deps", help="Leave out the services that these depend on.")
def scale(options: "ProjectOptions", counts: tuple[str, ...], *, no_deps: bool) -> None:
    """Set how many containers services have.

    For example:

        cntnr compose scale web=3
    """
    from cntnr_compose.cli.flows.shared_arguments import parse_scales
    from cntnr_compose.cli.flows.up import bring_up
    from cntnr_compose.cli.flows.up_arguments import UpArguments

    services = tuple(parse_scales(counts))
    arguments = UpArguments(services=services, scale=counts, no_deps=no_deps, detach=True)
    bring_up(options, "scale", arguments)
