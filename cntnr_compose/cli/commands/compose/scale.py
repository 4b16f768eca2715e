"""`cntnr compose scale`: how many containers services have."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import argument, flag, verb

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import Scope


@verb("SERVICE=REPLICAS...")
@argument("counts", many=True, metavar="SERVICE=REPLICAS...")
@flag("--no-deps", text="Without the services that these depend on.")
def scale(scope: "Scope", counts: tuple[str, ...], *, no_deps: bool) -> None:
    """Change how many containers services have."""
    from cntnr_compose.cli.flows.up import bring, scales
    from cntnr_compose.cli.flows.up_arguments import Asked

    names = tuple(scales(counts))
    asked = Asked(services=names, scale=counts, no_deps=no_deps, detach=True)
    bring(scope, "scale", asked)
