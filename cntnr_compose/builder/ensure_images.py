"""Look up, pull or build an image for every service, by its pull policy.

Runs in the command. Where all images are present this takes about a millisecond, so what pulls and builds is
imported only when it is needed.
"""

import functools
import time
from collections.abc import Iterable

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, Progress
from cntnr_compose.core.values import Bytes, Value
from cntnr_compose.images.errors import NoSuchImage
from cntnr_compose.images.pull_policy import must_build, must_pull
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Service


class RequiredImage(Value, frozen=True, kw_only=True):
    """One image that the project needs, for one service or several."""

    name: str  # as in the file, or the name that a build gives it
    policy: str = ""
    platform: str = ""
    build_services: tuple[str, ...] = ()  # services that can build it
    is_pullable: bool = True  # it has `image:`; the name of a build cannot be pulled


def ensure_images(
    project: Project,
    *,
    build: bool = False,
    no_build: bool = False,
    pull: str = "",
    quiet: bool = False,
    dry_run: bool = False,
    parallel: int = 0,
    emit: Emit,
) -> dict[str, str]:
    """Have all images of a project present; return their ids by the names in the file or of the builds.

    ``pull`` overrides the services' own policies. A dry run changes nothing, and returns those that are
    present. Raises `NoSuchImage`, `PullPolicyInvalid`, and what
    `images.transports.transfer.pull_image` and `builder.project_build.build_services` raise.
    """
    images = list(_required_images(project, pull, build=build))
    buildable = () if no_build else tuple(image for image in images if image.build_services)
    ids = _pull_required(images, buildable, emit, dry_run=dry_run, parallel=parallel)
    to_build: dict[str, str] = {}
    for image in images:
        is_present = image.name in ids
        if image in buildable and must_build(image.policy, is_present=is_present):
            to_build[image.build_services[0]] = image.name
        elif not is_present:
            raise NoSuchImage(image.name)
    if to_build:
        from cntnr_compose.builder.project_build import build_services

        built = build_services(project, tuple(to_build), quiet=quiet, dry_run=dry_run, emit=emit)
        ids |= {name: built[service] for service, name in to_build.items()}
    return {name: identity for name, identity in ids.items() if identity}


def _pull_required(
    images: list[RequiredImage],
    buildable: tuple[RequiredImage, ...],
    emit: Emit,
    *,
    dry_run: bool,
    parallel: int,
) -> dict[str, str]:
    """Pull what the policies require; return the ids of all images that are present then, by name.

    In a dry run the id of an image that would be pulled is "".
    """
    store, now = ImageStore(), time.time()
    present = {image.name: store.find(image.name) for image in images}
    to_pull = []
    for required in images:
        existing = present[required.name]
        tagged = existing.tagged if existing else None
        if required.is_pullable and must_pull(required.policy, tagged, now):
            to_pull.append(required)
    ids = {name: image.id for name, image in present.items() if image}
    if to_pull:
        ids |= pull_images(
            to_pull, optional=buildable, dry_run=dry_run, parallel=parallel, unpack=True, emit=emit
        )
    return ids


def _required_images(project: Project, pull: str, *, build: bool) -> Iterable[RequiredImage]:
    """List the required images, each once."""
    builders: dict[str, list[str]] = {}
    for service in project.services.values():
        if service.build is not None:
            builders.setdefault(project.image_name(service), []).append(service.name)
    seen: set[str] = set()
    for service in project.services.values():
        name = project.image_name(service)
        if name not in seen:
            seen.add(name)
            services = tuple(builders.get(name, ()))
            yield RequiredImage(
                name=name,
                policy=_effective_policy(service, pull, build=build),
                platform=project.platform(service),
                build_services=services,
                is_pullable=bool(service.image),
            )
    for service in project.services.values():
        mounted = [mount.source for mount in service.volumes if mount.type == "image"]
        for name in (*mounted, *hook_images(service)):
            if name not in seen:
                seen.add(name)
                yield RequiredImage(name=name)


def hook_images(service: Service) -> tuple[str, ...]:
    """Return the images of a service's pre_start hooks that have one of their own."""
    return tuple(dict.fromkeys(hook.image for hook in service.pre_start if hook.image))


def _effective_policy(service: Service, pull: str, *, build: bool) -> str:
    if build and service.build is not None:
        return "build"
    return pull or service.pull_policy


def pull_images(
    images: list[RequiredImage],
    *,
    optional: Iterable[RequiredImage] = (),
    dry_run: bool = False,
    parallel: int = 0,
    unpack: bool = False,
    emit: Emit,
) -> dict[str, str]:
    """Pull images, at most ``parallel`` at once; return their ids by name. Optional ones may fail.

    They are unpacked while they arrive, if ``unpack``.

    A dry run only asks the registries for them, and returns ids that are "". Raises the first `CntnrError`
    of the others, when all have ended.
    """
    names = {image.name for image in optional}
    failures: list[CntnrError] = []
    ids: dict[str, str] = {}

    def pull(image: RequiredImage) -> None:
        is_optional = image.name in names
        try:
            ids[image.name] = _pull(
                image, emit, is_optional=is_optional, dry_run=dry_run, unpack=unpack
            )
        except CntnrError as error:
            if not is_optional:
                failures.append(error)

    from cntnr_compose.images.transports import skopeo

    skopeo.run_in_threads([functools.partial(pull, image) for image in images], parallel)
    if failures:
        raise failures[0]
    return ids


def _pull(
    image: RequiredImage, emit: Emit, *, is_optional: bool, dry_run: bool, unpack: bool
) -> str:
    """Pull one image and report it; return its id, "" in a dry run."""
    from cntnr_compose.images.transports import transfer

    def report(status: str, state: str = "working", detail: str = "") -> None:
        emit(Progress(kind="Image", name=image.name, status=status, state=state, detail=detail))

    def report_bytes(current: Bytes, total: Bytes) -> None:
        emit(
            Progress(kind="Image", name=image.name, status="Pulling", current=current, total=total)
        )

    report("Pulling")
    try:
        if dry_run:
            transfer.check_source(image.name)
            identity = ""
        else:
            identity = transfer.pull_image(
                image.name, platform=image.platform, on_bytes=report_bytes, unpack=unpack
            ).id
    except CntnrError as error:
        if is_optional:
            report("Warning", "warning", str(error))
        else:
            report("Error", "error", str(error))
        raise
    report("Pulled", "done")
    return identity
