"""`cntnr compose pull`: images of services from their registries."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.parser.options import command, flag, option, services

if TYPE_CHECKING:
    from cntnr_compose.builder.ensure_images import RequiredImage
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.model.project import Project


@command("[SERVICE...]")
@services
@flag("--ignore-buildable", text="Not images that can be built.")
@flag("--ignore-pull-failures", text="Go on where an image cannot be had.")
@flag("--include-deps", text="Also images of the services that these depend on.")
@option("--policy", kind=("always", "missing"), help="Always, or when missing.")
@flag("-q", "--quiet", text="Do not show progress.")
@flag("--parallel", "--no-parallel", "_parallel", text="No effect; as in docker.", hidden=True)
def pull(
    scope: "ProjectOptions",
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
    from cntnr_compose.builder.ensure_images import pull_images

    if quiet:
        scope = scope.replace(progress="quiet")
    with scope.display() as console:
        project = scope.load_project(console, services)
        chosen = project.select(services, dependencies=include_deps)
        wanted = list(_wanted(chosen, policy or "", console, buildable=not ignore_buildable))
        if scope.dry_run:
            out.write("".join(f"pull image {one.name}\n" for one in wanted))
        elif wanted:
            optional = [one for one in wanted if one.build_services or ignore_pull_failures]
            pull_images(wanted, optional=optional, emit=console.emit)


def _wanted(
    project: "Project", policy: str, console: "ProgressDisplay", *, buildable: bool
) -> "Iterator[RequiredImage]":
    """Give the images to ask for, each once, and tell why others are not."""
    from cntnr_compose.builder.ensure_images import RequiredImage
    from cntnr_compose.core.events import Progress
    from cntnr_compose.images.store import ImageStore

    store = ImageStore()
    seen = set()
    for service in project.services.values():
        name = service.image or project.image_name(service)
        if name in seen:
            continue
        seen.add(name)
        own = policy or service.pull_policy
        reason = ""
        if not service.image:
            reason = "No image to be pulled"
        elif service.build is not None and not buildable:
            reason = "Image can be built"
        elif service.pull_policy in ("never", "build"):
            reason = f"pull policy is {service.pull_policy}"
        elif own in ("missing", "if_not_present") and store.find(name) is not None:
            reason = "Image is already present locally"
        if reason:
            console.emit(
                Progress(kind="Image", name=name, status="Skipped", state="done", detail=reason)
            )
            continue
        builders = (service.name,) if service.build is not None else ()
        yield RequiredImage(name=name, platform=service.platform, build_services=builders)
