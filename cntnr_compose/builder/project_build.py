"""Build the images of a project's services, each after those that it is based on."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from cntnr_compose.builder.build import build_images
from cntnr_compose.builder.create_request import (
    BuildDefinition,
    context_services,
    create_request,
)
from cntnr_compose.builder.dockerfile.required_images import required_images
from cntnr_compose.builder.request import BuildOptions, BuildRequest, parse_stages
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, Progress
from cntnr_compose.core.values import replace
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model import image_name
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Service
from cntnr_compose.reconcile import labels

if TYPE_CHECKING:
    from cntnr_compose.builder.check import DockerfileReport

DEFAULT_OPTIONS = BuildOptions()


class BuildCycle(CntnrError):
    """Builds need each other's images in a circle."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"cannot build {', '.join(names)}: each needs another's image")
        self.hint = "a FROM, a COPY --from or an additional context of one of them has to go"


class _ServiceBuild(NamedTuple):
    """The build of a service, and the services whose images it needs, by the words that name them."""

    request: BuildRequest
    bases: dict[str, str]


def build_services(
    project: Project,
    services: tuple[str, ...],
    *,
    options: BuildOptions = DEFAULT_OPTIONS,
    quiet: bool = False,
    shell_on_failure: bool = False,
    dry_run: bool = False,
    emit: Emit,
) -> dict[str, str]:
    """Build the images of services; return their ids by service.

    A dry run only reads the Dockerfiles, and returns ids that are "". Services whose images others start or
    take files from are built first. Raises a `CntnrError` for all that a user can fix; then only images that
    were already built have changed.
    """
    ids: dict[str, str] = {}
    builds = _read_builds(project, services, options)
    needs = {name: set(build.bases.values()) for name, build in builds.items()}
    for group in list(_in_order(needs)):  # a circle is found before anything is built
        requests = [_with_built_bases(builds[name]) for name in group]
        if dry_run:
            ids |= {request.service: _report_build(request, emit) for request in requests}
        else:
            built = build_images(
                requests, quiet=quiet, shell_on_failure=shell_on_failure, emit=emit
            )
            ids |= {name: image.id for name, image in built.items()}
    return ids


def _read_builds(
    project: Project, services: tuple[str, ...], options: BuildOptions
) -> dict[str, _ServiceBuild]:
    """Read the builds of services and of those whose images they need; those without a build are pulled."""
    by_image = {
        image_name.normalize(name): service.name
        for service in project.services.values()
        if service.build is not None
        for name in (*service.build.tags, project.image_name(service))
    }
    builds: dict[str, _ServiceBuild] = {}
    pending = list(services)
    while pending:
        service = project.service(pending.pop(0))
        if service.name in builds or service.build is None:
            continue
        request = _request(project, service, options)
        bases = _find_bases(request, by_image)
        builds[service.name] = _ServiceBuild(request, bases)
        for word, name in bases.items():
            # Who names a service wants it built; an image by its name may be here already.
            if word in request.context_images or ImageStore().find(word) is None:
                pending.append(name)
    return {
        name: build._replace(bases={w: base for w, base in build.bases.items() if base in builds})
        for name, build in builds.items()
    }


def _find_bases(request: BuildRequest, by_image: Mapping[str, str]) -> dict[str, str]:
    """Find the services whose images a build needs, by the words in its Dockerfile and in its contexts."""
    scope = parse_stages(request)
    words = dict.fromkeys((
        *required_images(scope, scope.find_stage(request.target)), *request.context_images,
    ))  # fmt: skip
    bases = {}
    for word in words:
        with contextlib.suppress(image_name.ImageNameInvalid):  # told where it is looked up
            ref = image_name.normalize(request.context_images.get(word, word))
            # An image that is built from what had its name before is no circle.
            if ref in by_image and (ref not in request.names or word in request.context_images):
                bases[word] = by_image[ref]
    return bases


def _with_built_bases(build: _ServiceBuild) -> BuildRequest:
    """Have the images that were just built taken as they are, and not pulled."""
    built = {word: word for word in build.bases}
    return replace(build.request, context_images={**built, **build.request.context_images})


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
        proot=service.proot,
    )


def _in_order(needs: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """Group names, each after those that it needs. Raises `BuildCycle`."""
    done: set[str] = set()
    while len(done) < len(needs):
        group = [name for name, others in needs.items() if name not in done and done >= others]
        if not group:
            raise BuildCycle(_find_cycle(needs, done))
        done.update(group)
        yield group


def _find_cycle(needs: Mapping[str, set[str]], done: set[str]) -> list[str]:
    """Return the names of one circle."""
    name = next(name for name in needs if name not in done)
    path = [name]
    while True:
        name = min(needs[name] - done)
        if name in path:
            return path[path.index(name) :]
        path.append(name)


def _report_build(request: BuildRequest, emit: Emit) -> str:
    """Report the build of an image that is not built, and return its id, which is ""."""
    parse_stages(request)
    emit(Progress(kind="Image", name=request.title, status="Building"))
    emit(Progress(kind="Image", name=request.title, status="Built", state="done"))
    return ""
