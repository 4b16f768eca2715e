"""Build the images of a project's services, each after those that it is based on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cntnr_compose.builder.build import build_images
from cntnr_compose.builder.create_request import (
    BuildDefinition,
    context_services,
    create_request,
)
from cntnr_compose.builder.request import BuildOptions, BuildRequest, parse_stages
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, Progress
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Service
from cntnr_compose.reconcile import labels

if TYPE_CHECKING:
    from cntnr_compose.builder.check import DockerfileReport

DEFAULT_OPTIONS = BuildOptions()


class ContextCycle(CntnrError):
    """Builds take files from each other's images in a circle."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"cannot build {', '.join(names)}: each takes files from another's image")


def build_services(
    project: Project,
    services: tuple[str, ...],
    *,
    options: BuildOptions = DEFAULT_OPTIONS,
    quiet: bool = False,
    dry_run: bool = False,
    emit: Emit,
) -> dict[str, str]:
    """Build the images of services; return their ids by service.

    A dry run only reads the Dockerfiles, and returns ids that are "". Services whose images others take files
    from are built first. Raises a `CntnrError` for all that a user can fix; then only images that were
    already built have changed.
    """
    ids: dict[str, str] = {}
    for group in _dependency_groups(project, services):
        requests = [_request(project, service, options) for service in group]
        if dry_run:
            ids |= {request.service: _report_build(request, emit) for request in requests}
        elif requests:
            built = build_images(requests, quiet=quiet, emit=emit)
            ids |= {name: image.id for name, image in built.items()}
    return ids


def check_services(
    project: Project, services: tuple[str, ...], options: BuildOptions
) -> "list[DockerfileReport]":
    """Check the Dockerfiles of services without building. Raises `CannotBuild`."""
    from cntnr_compose.builder.check import check_dockerfile

    return [
        check_dockerfile(_request(project, project.service(name), options)) for name in services
    ]


def _request(project: Project, service: Service, options: BuildOptions) -> BuildRequest:
    """Read what the build of a service needs. Raises `CannotBuild`."""
    return create_request(define_build(project, service), options)


def define_build(project: Project, service: Service) -> BuildDefinition:
    """Gather what the build of a service refers to."""
    assert service.build is not None
    return BuildDefinition(
        name=service.name,
        build=service.build,
        names=(project.image_name(service),),
        working_dir=project.working_dir,
        environment=project.environment,
        secrets=project.secrets,
        labels=labels.built_image(project, service),
        service_images={
            name: project.image_name(project.service(name))
            for name in context_services(service.build)
        },
        platform=service.platform,
    )


def _dependency_groups(project: Project, services: tuple[str, ...]) -> Iterator[list[Service]]:
    """Group the services to build, each after those whose images it takes files from."""
    required = {name: project.service(name) for name in services}
    pending = list(required)
    while pending:
        for name in context_services(required[pending.pop()].build):
            if name not in required:
                required[name] = project.service(name)
                pending.append(name)
    done: set[str] = set()
    while len(done) < len(required):
        group = [
            service
            for name, service in required.items()
            if name not in done and done.issuperset(context_services(service.build))
        ]
        if not group:
            raise ContextCycle([name for name in required if name not in done])
        done.update(service.name for service in group)
        yield [service for service in group if service.build is not None]


def _report_build(request: BuildRequest, emit: Emit) -> str:
    """Report the build of an image that is not built, and return its id, which is ""."""
    parse_stages(request)
    emit(Progress(kind="Image", name=request.title, status="Building"))
    emit(Progress(kind="Image", name=request.title, status="Built", state="done"))
    return ""
