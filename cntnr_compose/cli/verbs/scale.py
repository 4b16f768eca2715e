"""`cntnr compose scale`: how many containers services have."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.options import argument, flag, verb

if TYPE_CHECKING:
    from cntnr_compose.cli.scope import Scope


@verb("SERVICE=REPLICAS...")
@argument("counts", many=True, metavar="SERVICE=REPLICAS...")
@flag("--no-deps", text="Without the services that these depend on.")
def scale(scope: "Scope", counts: tuple[str, ...], *, no_deps: bool) -> None:
    """Change how many containers services have."""
    from cntnr_compose.cli.bringing import bring, scales
    from cntnr_compose.cli.upasked import Asked

    names = tuple(scales(counts))
    asked = Asked(services=names, scale=counts, no_deps=no_deps, detach=True)
    bring(scope, "scale", asked)
