"""Look up, pull or build an image for every service, by its pull policy.

Runs in the command. Where all images are present this takes about a millisecond, so what pulls and builds is
imported only when it is needed.
"""

import functools
import time
from collections.abc import Iterable

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, Progress
from cntnr_compose.core.values import Value
from cntnr_compose.images.pull_policy import must_build, must_pull
from cntnr_compose.images.store import ImageStore, NoSuchImage
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
    emit: Emit,
) -> dict[str, str]:
    """Have all images of a project present; return their ids by the names in the file or of the builds.

    ``pull`` overrides the services' own policies. Raises `NoSuchImage`, `PullPolicyInvalid`, and what
    `images.transfer.pull_image` and `builder.build.build_images` raise.
    """
    images = list(_required_images(project, pull, build=build))
    buildable = () if no_build else tuple(image for image in images if image.build_services)
    ids = _pull_required(images, buildable, emit)
    to_build: dict[str, str] = {}
    for image in images:
        is_present = image.name in ids
        if image in buildable and must_build(image.policy, is_present=is_present):
            to_build[image.build_services[0]] = image.name
        elif not is_present:
            raise NoSuchImage(image.name)
    if to_build:
        from cntnr_compose.builder.build import build_images

        built = build_images(project, tuple(to_build), quiet=quiet, emit=emit)
        ids |= {name: built[service] for service, name in to_build.items()}
    return ids


def _pull_required(
    images: list[RequiredImage], buildable: tuple[RequiredImage, ...], emit: Emit
) -> dict[str, str]:
    """Pull what the policies require; return the ids of all images that are present then, by name."""
    store, now = ImageStore(), time.time()
    present = {image.name: store.find(image.name) for image in images}
    to_pull = []
    for required in images:
        existing = present[required.name]
        tagged = existing.tagged if existing else None
        if required.is_pullable and must_pull(required.policy, tagged, now):
            to_pull.append(required)
    if to_pull:
        pull_images(to_pull, optional=buildable, emit=emit)
        present |= {image.name: store.find(image.name) for image in to_pull}
    return {name: image.id for name, image in present.items() if image}


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
                platform=service.platform,
                build_services=services,
                is_pullable=bool(service.image),
            )
    for service in project.services.values():
        for mount in service.volumes:
            if mount.type == "image" and mount.source not in seen:
                seen.add(mount.source)
                yield RequiredImage(name=mount.source)


def _effective_policy(service: Service, pull: str, *, build: bool) -> str:
    if build and service.build is not None:
        return "build"
    return pull or service.pull_policy


def pull_images(
    images: list[RequiredImage], *, optional: Iterable[RequiredImage] = (), emit: Emit
) -> dict[str, str]:
    """Pull images in parallel; return their ids by name. Optional ones may fail.

    Raises the first `CntnrError` of the others, when all have ended.
    """
    names = {image.name for image in optional}
    failures: list[CntnrError] = []
    ids: dict[str, str] = {}

    def pull(image: RequiredImage) -> None:
        is_optional = image.name in names
        try:
            ids[image.name] = _pull(image, emit, is_optional=is_optional)
        except CntnrError as error:
            if not is_optional:
                failures.append(error)

    from cntnr_compose.images.parallel import run_in_threads

    run_in_threads([functools.partial(pull, image) for image in images])
    if failures:
        raise failures[0]
    return ids


def _pull(image: RequiredImage, emit: Emit, *, is_optional: bool) -> str:
    """Pull one image and report it; return its id."""
    from cntnr_compose.images.transfer import pull_image

    def report(status: str, state: str = "working", detail: str = "") -> None:
        emit(Progress(kind="Image", name=image.name, status=status, state=state, detail=detail))

    report("Pulling")
    try:
        pulled = pull_image(image.name, platform=image.platform)
    except CntnrError as error:
        if is_optional:
            report("Warning", "warning", str(error))
        else:
            report("Error", "error", str(error))
        raise
    report("Pulled", "done")
    return pulled.id
