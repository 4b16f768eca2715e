"""`cntnr compose pull`: pull the images of services from their registries."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command, flag, option, services

if TYPE_CHECKING:
    from cntnr_compose.builder.ensure_images import RequiredImage
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.model.project import Project
    from cntnr_compose.model.service import Service


@command("[SERVICE...]")
@services
@flag("--ignore-buildable", help="Leave out images that can be built.")
@flag("--ignore-pull-failures", help="Go on where an image cannot be had.")
@flag("--include-deps", help="Also images of the services that these depend on.")
@option("--policy", kind=("always", "missing"), help="Pull always, or only what is missing.")
@flag("-q", "--quiet", help="Do not show the progress.")
@flag("--parallel", "--no-parallel", "_parallel")  # without effect, as in docker
def pull(
    options: "ProjectOptions",
    services: tuple[str, ...],
    *,
    ignore_buildable: bool,
    ignore_pull_failures: bool,
    include_deps: bool,
    policy: str | None,
    quiet: bool,
    _parallel: bool,
) -> None:
    """Pull the images of services from their registries."""
    from cntnr_compose.builder.ensure_images import pull_images

    if quiet:
        options = options.replace(progress="quiet")
    with options.display() as display:
        project = options.load_project(display, services)
        selected = project.select(services, dependencies=include_deps)
        images = list(_images(selected, policy or "", display, buildable=not ignore_buildable))
        if images:
            optional = [one for one in images if one.build_services or ignore_pull_failures]
            pull_images(
                images,
                optional=optional,
                dry_run=options.dry_run,
                parallel=options.limit,
                emit=display.emit,
            )


def _images(
    project: "Project", policy: str, display: "ProgressDisplay", *, buildable: bool
) -> "Iterator[RequiredImage]":
    """Yield the images to pull, each once, and show why others are skipped."""
    from cntnr_compose.builder.ensure_images import RequiredImage, hook_images
    from cntnr_compose.core.events import Progress
    from cntnr_compose.images.store import ImageStore

    store = ImageStore()
    seen = set()
    for service in project.services.values():
        name = service.image or project.image_name(service)
        if name in seen:
            continue
        seen.add(name)
        reason = _reason_to_skip(service, buildable=buildable)
        if not reason and (policy or service.pull_policy) in ("missing", "if_not_present"):
            reason = "Image is already present locally" if store.find(name) else ""
        if reason:
            display.emit(
                Progress(kind="Image", name=name, status="Skipped", state="done", detail=reason)
            )
            continue
        builders = (service.name,) if service.build is not None else ()
        yield RequiredImage(name=name, platform=project.platform(service), build_services=builders)
    hooks = [name for service in project.services.values() for name in hook_images(service)]
    yield from (RequiredImage(name=name) for name in dict.fromkeys(hooks) if name not in seen)


def _reason_to_skip(service: "Service", *, buildable: bool) -> str:
    """Say why the image of a service is not pulled, whether it exists or not; "" if it is."""
    if not service.image:
        return "No image to be pulled"
    if service.build is not None and not buildable:
        return "Image can be built"
    if service.pull_policy in ("never", "build"):
        return f"pull policy is {service.pull_policy}"
    return ""
