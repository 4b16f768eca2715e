"""Build the images of a project's services: the command's side.

Unchanged images are recognised here, without the namespaces; the worker, a process inside them, builds
the rest.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from cntnr_compose.builder.cache_lookup import find_cached_image
from cntnr_compose.builder.dockerfile.instructions import apply_all
from cntnr_compose.builder.dockerfile.parser import DockerfileInvalid
from cntnr_compose.builder.dockerfile.stages import required_images
from cntnr_compose.builder.downloads import fetch_downloads
from cntnr_compose.builder.request import (
    SERVICE_PREFIX,
    BuildOptions,
    BuildRequest,
    context_images,
    context_services,
    create_request,
    parse_stages,
)
from cntnr_compose.builder.worker_process import run_worker
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, Event, Output, Progress
from cntnr_compose.core.values import from_json, from_tree, replace
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model import image_name
from cntnr_compose.model.image import Image, ImageConfig
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Service

if TYPE_CHECKING:
    from cntnr_compose.builder.dockerfile.lint import Finding

DEFAULT_OPTIONS = BuildOptions()


class BaseUnavailable(CntnrError):
    """An image that a Dockerfile names cannot be pulled."""

    def __init__(self, where: str, error: CntnrError) -> None:
        super().__init__(f"{where}: {error}")
        self.hint, self.exit_code = error.hint, error.exit_code


class ContextCycle(CntnrError):
    """Builds take files from each other's images in a circle."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"cannot build {', '.join(names)}: each takes files from another's image")


def build_images(
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
        requests = []
        for service in group:
            request = create_request(project, service, options)
            if dry_run:
                parse_stages(request)
                ids[service.name] = _report_build(project.image_name(service), emit)
                continue
            must_pull = options.pull or (service.build is not None and service.build.pull)
            request = _with_base_images(request, project, service, pull=must_pull, emit=emit)
            requests.append(fetch_downloads(request))
        if requests:
            ids |= _build_group(project, requests, quiet=quiet, emit=emit)
    return ids


class DockerfileReport(NamedTuple):
    """What a check of a Dockerfile says: what it breaks, or the error that ends its build, at ``line``."""

    service: str
    file: str
    text: str
    findings: "list[Finding]"
    error: str = ""
    line: int = 0


def check_dockerfiles(
    project: Project, services: tuple[str, ...], options: BuildOptions
) -> list[DockerfileReport]:
    """Check the Dockerfiles of services without building. Raises `CannotBuild`."""
    return [
        _check_dockerfile(create_request(project, project.service(name), options))
        for name in services
    ]


def _check_dockerfile(request: BuildRequest) -> DockerfileReport:
    from cntnr_compose.builder.dockerfile.lint import lint_dockerfile

    report = DockerfileReport(request.service, request.file, request.text, [])
    try:
        scope = parse_stages(request)
        scope.find_stage(request.target)
        bases: dict[str, ImageConfig | None] = {}
        for stage in scope.stages:
            if stage.base_stage < 0 and stage.base not in (*request.contexts, "scratch"):
                bases[stage.base] = _base_config(stage.base)
        apply_all(scope, bases)
    except DockerfileInvalid as error:
        return report._replace(error=str(error), line=error.line)
    except CntnrError as error:
        return report._replace(error=f"{request.file}: {error}")
    names = {
        base: None if config is None else [word.partition("=")[0] for word in config.env]
        for base, config in bases.items()
    }
    return report._replace(findings=lint_dockerfile(request.text, scope, names))


def _base_config(ref: str) -> ImageConfig | None:
    """Find the configuration of an image, here or in its registry; None where it cannot be had.

    Raises `ImageNameInvalid`.
    """
    from cntnr_compose.images.transports import skopeo

    image = ImageStore().find(ref)
    if image is not None:
        return image.config
    try:
        tree = from_json(skopeo.read_config(image_name.normalize(ref)), dict[str, Any])
        return from_tree(tree.get("config") or {}, ImageConfig)
    except ValueError:
        return None


def _dependency_groups(project: Project, services: tuple[str, ...]) -> Iterator[list[Service]]:
    """Group the services to build, each after those whose images it takes files from."""
    required = {name: project.service(name) for name in services}
    pending = list(required)
    while pending:
        for name in context_services(required[pending.pop()]):
            if name not in required:
                required[name] = project.service(name)
                pending.append(name)
    done: set[str] = set()
    while len(done) < len(required):
        group = [
            service
            for name, service in required.items()
            if name not in done and done.issuperset(context_services(service))
        ]
        if not group:
            raise ContextCycle([name for name in required if name not in done])
        done.update(service.name for service in group)
        yield [service for service in group if service.build is not None]


def _with_base_images(
    request: BuildRequest, project: Project, service: Service, *, pull: bool, emit: Emit
) -> BuildRequest:
    """Look up or pull all images that a build starts from or takes files from."""
    named_contexts = context_images(service)
    assert service.build is not None
    for name, word in service.build.additional_contexts.items():
        if word.startswith(SERVICE_PREFIX):
            built_service = project.service(word.removeprefix(SERVICE_PREFIX))
            named_contexts[name] = project.image_name(built_service)
    scope = parse_stages(request)
    images = {}
    for word, line in required_images(scope, scope.find_stage(request.target)).items():
        images[word] = _find_or_pull(
            named_contexts.get(word, word),
            f"{request.file}:{line}",
            pull=pull and word not in named_contexts,
            emit=emit,
        )
    return replace(request, images=images)


def _find_or_pull(ref: str, where: str, *, pull: bool, emit: Emit) -> Image:
    """Look an image up, or pull it. Raises `BaseUnavailable`."""
    from cntnr_compose.images.transports.transfer import pull_image

    def report_pull(status: str, name: str) -> None:
        state = "done" if status == "Pulled" else "working"
        emit(Progress(kind="Image", name=name, status=status, state=state))

    try:
        existing = None if pull else ImageStore().find(ref)
        return existing or pull_image(ref, on_progress=report_pull)
    except CntnrError as error:
        raise BaseUnavailable(where, error) from error


def _report_build(name: str, emit: Emit) -> str:
    """Report the build of an image that is not built, and return its id, which is ""."""
    emit(Progress(kind="Image", name=name, status="Building"))
    emit(Progress(kind="Image", name=name, status="Built", state="done"))
    return ""


def _build_group(
    project: Project, requests: list[BuildRequest], *, quiet: bool, emit: Emit
) -> dict[str, str]:
    """Build services that do not depend on each other; return the ids of their images by service."""
    names = {
        request.service: project.image_name(project.service(request.service))
        for request in requests
    }
    for name in names.values():
        emit(Progress(kind="Image", name=name, status="Building"))
    ids: dict[str, str] = {}
    try:
        ids |= {
            request.service: image_id
            for request in requests
            if (image_id := find_cached_image(request))
        }
        changed = tuple(request for request in requests if request.service not in ids)
        if changed:
            ids |= run_worker(changed, emit=_without_output(emit) if quiet else emit)
    except CntnrError:
        for service, name in names.items():
            if service not in ids:
                emit(Progress(kind="Image", name=name, status="Error", state="error"))
        raise
    for name in names.values():
        emit(Progress(kind="Image", name=name, status="Built", state="done"))
    return ids


def _without_output(emit: Emit) -> Emit:
    """Filter out what the steps print."""

    def emit_rest(event: Event) -> None:
        if not isinstance(event, Output):
            emit(event)

    return emit_rest
