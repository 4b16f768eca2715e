"""Has an image for every service: looked up, pulled or built, as the services' policies say.

Runs in the command. Where everything is there this costs about a millisecond, so what pulls and builds is
imported only when it is needed.
"""

import time
from collections.abc import Iterable

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, Progress
from cntnr_compose.core.values import Seconds, Value
from cntnr_compose.images import pull_policy as pullpolicy
from cntnr_compose.images.store import ImageStore, NoSuchImage
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Service

AT_ONCE = 8
LOOK_UP: Seconds = 0.2


class Wanted(Value, frozen=True, kw_only=True):
    """One image that the project needs, for one service or several."""

    name: str  # as the user wrote it, or as a build names it
    policy: str = ""
    platform: str = ""
    builders: tuple[str, ...] = ()  # services that can build it
    named: bool = True  # by the user: only such can be pulled


def provide(
    project: Project,
    *,
    build: bool = False,
    no_build: bool = False,
    pull: str = "",
    quiet: bool = False,
    tell: Emit,
) -> dict[str, str]:
    """Have all images of a project; give their ids by the names that the file or the build gives them.

    ``pull`` wins over the services' own policies. Raises `NoSuchImage`, what `images.transfer.pull`
    and `builder.build.build` raise, `PullPolicyInvalid`.
    """
    images = list(_wanted(project, pull, build=build))
    buildable = () if no_build else tuple(one for one in images if one.builders)
    ids = _pulled(images, buildable, tell)
    to_build: dict[str, str] = {}
    for one in images:
        is_here = one.name in ids
        if one in buildable and pullpolicy.must_build(one.policy, is_here=is_here):
            to_build[one.builders[0]] = one.name
        elif not is_here:
            raise NoSuchImage(one.name)
    if to_build:
        from cntnr_compose.builder import build as builds

        made = builds.build(project, tuple(to_build), quiet=quiet, tell=tell)
        ids |= {name: made[service] for service, name in to_build.items()}
    return ids


def _pulled(images: list[Wanted], buildable: tuple[Wanted, ...], tell: Emit) -> dict[str, str]:
    """Pull what the policies want pulled; give the ids of all that is here then, by name."""
    store, now = ImageStore(), time.time()
    held = {one.name: store.find(one.name) for one in images}
    wanted = []
    for one in images:
        found = held[one.name]
        if one.named and pullpolicy.must_pull(one.policy, found.tagged if found else None, now):
            wanted.append(one)
    if wanted:
        pull_all(wanted, optional=buildable, tell=tell)
        held |= {one.name: store.find(one.name) for one in wanted}
    return {name: image.id for name, image in held.items() if image}


def _wanted(project: Project, pull: str, *, build: bool) -> Iterable[Wanted]:
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
            yield Wanted(
                name=name,
                policy=_policy(service, pull, build=build),
                platform=service.platform,
                builders=by,
                named=bool(service.image),
            )
    for service in project.services.values():
        for mount in service.volumes:
            if mount.type == "image" and mount.source not in seen:
                seen.add(mount.source)
                yield Wanted(name=mount.source)


def _policy(service: Service, pull: str, *, build: bool) -> str:
    if build and service.build is not None:
        return "build"
    return pull or service.pull_policy


def pull_all(
    images: list[Wanted], *, optional: Iterable[Wanted] = (), tell: Emit
) -> dict[str, str]:
    """Pull images at once; give their ids by name. Those that are optional may fail.

    Raises the first `CntnrError` of the others, when all have ended.
    """
    from concurrent.futures import ThreadPoolExecutor, wait

    from cntnr_compose.images import skopeo

    may_fail = {one.name for one in optional}
    failures: list[CntnrError] = []
    ids: dict[str, str] = {}

    def pull(one: Wanted) -> None:
        try:
            ids[one.name] = _pull(one, tell, is_optional=one.name in may_fail)
        except CntnrError as error:
            if one.name not in may_fail:
                failures.append(error)

    with ThreadPoolExecutor(min(AT_ONCE, len(images))) as pool:
        try:
            jobs = [pool.submit(pull, one) for one in images]
            # Whoever waits without end misses a Ctrl-C that comes just before he begins to.
            while wait(jobs, timeout=LOOK_UP).not_done:
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


def _pull(one: Wanted, tell: Emit, *, is_optional: bool) -> str:
    from cntnr_compose.images import store as images

    def told(status: str, state: str = "working", detail: str = "") -> None:
        tell(Progress(kind="Image", name=one.name, status=status, state=state, detail=detail))

    told("Pulling")
    try:
        found = images.pull(one.name, platform=one.platform)
    except CntnrError as error:
        if is_optional:
            told("Warning", "warning", str(error))
        else:
            told("Error", "error", str(error))
        raise
    told("Pulled", "done")
    return found.id
