"""Have the images of a project ready before its plan is made."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.flows.shared_arguments import ImageOptions
from cntnr_compose.cli.project.options import ProjectOptions

if TYPE_CHECKING:
    from cntnr_compose.core.events import Emit, Event
    from cntnr_compose.model.observed import Observed
    from cntnr_compose.model.project import Project


def prepare_images(
    options: ProjectOptions, project: "Project", images: ImageOptions, emit: "Emit"
) -> dict[str, str]:
    """Pull or build the images of a project; return their ids by the names in the file.

    A dry run only shows that, and returns the ids of those that are present.
    """
    from cntnr_compose.builder.ensure_images import ensure_images

    return ensure_images(
        project,
        build=images.build,
        no_build=images.no_build,
        pull="" if images.pull == "policy" else images.pull,
        dry_run=options.dry_run,
        parallel=options.limit,
        emit=_without_quiet_events(images, emit),
    )


def with_images(observed: "Observed", images: Mapping[str, str]) -> "Observed":
    """Add the ids of images, by the names in the file, to what was observed."""
    from cntnr_compose.core.values import replace

    return replace(observed, images={**observed.images, **images})


def find_images(project: "Project") -> dict[str, str]:
    """Return the ids of the images that are present, by name; print which are not."""
    from cntnr_compose.images.store import ImageStore

    store = ImageStore()
    ids = {}
    for service in project.services.values():
        name = project.image_name(service)
        image = store.find(name)
        if image is not None:
            ids[name] = image.id
        elif name not in ids:
            ids[name] = ""
            stdout.print_line(f"0 {'build' if service.build else 'pull'} image {name}: not found")
    return {name: identity for name, identity in ids.items() if identity}


def _without_quiet_events(images: ImageOptions, emit: "Emit") -> "Emit":
    """Return a handler that drops the events of quiet pulls and builds."""
    from cntnr_compose.core.events import Output, Progress

    def filtered_emit(event: "Event") -> None:
        match event:
            case Progress(kind="Image", status=status):
                if images.quiet_pull and status.startswith("Pull"):
                    return
                if images.quiet_build and status.startswith("Buil"):
                    return
            case Output() if images.quiet_build:
                return
            case _:
                pass
        emit(event)

    return filtered_emit
