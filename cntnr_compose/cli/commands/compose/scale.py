"""`cntnr compose scale`: how many containers services have."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import argument, command, flag

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("SERVICE=REPLICAS...")
@argument("counts", many=True, metavar="SERVICE=REPLICAS...")
@flag("--no-deps", text="Without the services that these depend on.")
def scale(scope: "ProjectOptions", counts: tuple[str, ...], *, no_deps: bool) -> None:
    """Change how many containers services have."""
    from cntnr_compose.cli.flows.up import bring_up, parse_scales
    from cntnr_compose.cli.flows.up_arguments import UpArguments

    names = tuple(parse_scales(counts))
    asked = UpArguments(services=names, scale=counts, no_deps=no_deps, detach=True)
    bring_up(scope, "scale", asked)
