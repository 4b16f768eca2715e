"""Has an image for every service: looked up, pulled or built, as the services' policies say.

Runs in the command. Where everything is there this costs about a millisecond, so what pulls and builds is
imported only when it is needed.
"""

import time
from collections.abc import Iterable

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, Progress
from cntnr_compose.core.values import Seconds, Value
from cntnr_compose.images.pull_policy import must_build, must_pull
from cntnr_compose.images.store import ImageStore, NoSuchImage
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Service

MAX_PARALLEL_PULLS = 8
WAIT_INTERVAL: Seconds = 0.2


class RequiredImage(Value, frozen=True, kw_only=True):
    """One image that the project needs, for one service or several."""

    name: str  # as the user wrote it, or as a build names it
    policy: str = ""
    platform: str = ""
    build_services: tuple[str, ...] = ()  # services that can build it
    is_pullable: bool = True  # by the user: only such can be pulled


def ensure_images(
    project: Project,
    *,
    build: bool = False,
    no_build: bool = False,
    pull: str = "",
    quiet: bool = False,
    emit: Emit,
) -> dict[str, str]:
    """Have all images of a project; give their ids by the names that the file or the build gives them.

    ``pull`` wins over the services' own policies. Raises `NoSuchImage`, what `images.transfer.pull`
    and `builder.build.build` raise, `PullPolicyInvalid`.
    """
    images = list(_required_images(project, pull, build=build))
    buildable = () if no_build else tuple(one for one in images if one.build_services)
    ids = _pull_required(images, buildable, emit)
    to_build: dict[str, str] = {}
    for one in images:
        is_here = one.name in ids
        if one in buildable and must_build(one.policy, is_present=is_here):
            to_build[one.build_services[0]] = one.name
        elif not is_here:
            raise NoSuchImage(one.name)
    if to_build:
        from cntnr_compose.builder.build import build_images

        made = build_images(project, tuple(to_build), quiet=quiet, emit=emit)
        ids |= {name: made[service] for service, name in to_build.items()}
    return ids


def _pull_required(
    images: list[RequiredImage], buildable: tuple[RequiredImage, ...], tell: Emit
) -> dict[str, str]:
    """Pull what the policies want pulled; give the ids of all that is here then, by name."""
    store, now = ImageStore(), time.time()
    held = {one.name: store.find(one.name) for one in images}
    wanted = []
    for one in images:
        found = held[one.name]
        if one.is_pullable and must_pull(one.policy, found.tagged if found else None, now):
            wanted.append(one)
    if wanted:
        pull_images(wanted, optional=buildable, emit=tell)
        held |= {one.name: store.find(one.name) for one in wanted}
    return {name: image.id for name, image in held.items() if image}


def _required_images(project: Project, pull: str, *, build: bool) -> Iterable[RequiredImage]:
    """List the images that are needed, each once."""
    builders: dict[str, list[str]] = {}
    for service in project.services.values():
        if service.build is not None:
            builders.setdefault(project.image_name(service), []).append(service.name)
    seen: set[str] = set()
    for service in project.services.values():
        name = project.image_name(service)
        if name not in seen:
            seen.add(name)
            by = tuple(builders.get(name, ()))
            yield RequiredImage(
                name=name,
                policy=_effective_policy(service, pull, build=build),
                platform=service.platform,
                build_services=by,
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
    """Pull images at once; give their ids by name. Those that are optional may fail.

    Raises the first `CntnrError` of the others, when all have ended.
    """
    from concurrent.futures import ThreadPoolExecutor, wait

    from cntnr_compose.images import skopeo

    may_fail = {one.name for one in optional}
    failures: list[CntnrError] = []
    ids: dict[str, str] = {}

    def pull(one: RequiredImage) -> None:
        try:
            ids[one.name] = _pull(one, emit, is_optional=one.name in may_fail)
        except CntnrError as error:
            if one.name not in may_fail:
                failures.append(error)

    with ThreadPoolExecutor(min(MAX_PARALLEL_PULLS, len(images))) as pool:
        try:
            jobs = [pool.submit(pull, one) for one in images]
            # Whoever waits without end misses a Ctrl-C that comes just before he begins to.
            while wait(jobs, timeout=WAIT_INTERVAL).not_done:
                pass
            for job in jobs:
                job.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            skopeo.stop_all()
            raise
    if failures:
        raise failures[0]
    return ids


def _pull(one: RequiredImage, tell: Emit, *, is_optional: bool) -> str:
    from cntnr_compose.images.transfer import pull_image

    def told(status: str, state: str = "working", detail: str = "") -> None:
        tell(Progress(kind="Image", name=one.name, status=status, state=state, detail=detail))

    told("Pulling")
    try:
        found = pull_image(one.name, platform=one.platform)
    except CntnrError as error:
        if is_optional:
            told("Warning", "warning", str(error))
        else:
            told("Error", "error", str(error))
        raise
    told("Pulled", "done")
    return found.id
