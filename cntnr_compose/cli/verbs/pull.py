"""`cntnr compose pull`: images of services from their registries."""

from typing import TYPE_CHECKING

import click

from cntnr_compose.cli.options import flag, services, verb

if TYPE_CHECKING:
    from cntnr_compose.cli.scope import Scope


@verb("[SERVICE...]")
@services
@flag("--ignore-buildable", text="Not images that can be built.")
@flag("--ignore-pull-failures", text="Go on where an image cannot be had.")
@flag("--include-deps", text="Also images of the services that these depend on.")
@click.option("--policy", type=click.Choice(["always", "missing"]), help="Always, or when missing.")
@flag("-q", "--quiet", text="Do not show progress.")
@flag("--parallel", "--no-parallel", "_parallel", text="No effect; as in docker.", hidden=True)
def pull(
    scope: "Scope",
    services: tuple[str, ...],
    *,
    ignore_buildable: bool,
    ignore_pull_failures: bool,
    include_deps: bool,
    policy: str | None,
    quiet: bool,
    _parallel: bool,
) -> None:
    """Get images of services."""
    from cntnr_compose.core.values import replace
    from cntnr_compose.engine import provide

    if quiet:
        scope = replace(scope, progress="quiet")
    with scope.console() as console:
        project = scope.load(console, services)
        chosen = project.select(services, dependencies=include_deps)
        if scope.dry_run:
            names = dict.fromkeys(one.image for one in chosen.services.values() if one.image)
            click.echo("".join(f"pull image {name}\n" for name in names), nl=False)
            return
        provide.pull(
            chosen,
            policy=policy or "",
            ignore_buildable=ignore_buildable,
            ignore_failures=ignore_pull_failures,
            tell=console.tell,
        )
