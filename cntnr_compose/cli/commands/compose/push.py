"""`cntnr compose push`: push the images of services to their registries."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command, flag, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@flag("--ignore-push-failures", help="Go on where an image cannot be pushed.")
@flag("--include-deps", help="Also images of the services that these depend on.")
@flag("-q", "--quiet", help="Do not show the progress.")
def push(
    options: "ProjectOptions",
    services: tuple[str, ...],
    *,
    ignore_push_failures: bool,
    include_deps: bool,
    quiet: bool,
) -> None:
    """Push the images of services that have `build` to the registries in their names."""
    from cntnr_compose.images.transports.push import push_services

    if quiet:
        options = options.replace(progress="quiet")
    with options.display() as display:
        project = options.load_project(display, services)
        selected = project.select(services, dependencies=include_deps)
        push_services(
            selected.services.values(),
            ignore_failures=ignore_push_failures,
            dry_run=options.dry_run,
            parallel=options.limit,
            emit=display.emit,
        )
