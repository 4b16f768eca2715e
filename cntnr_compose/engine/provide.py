"""Has an image for every service: looked up, pulled or built, as the services' policies say.

Runs in the command. Where everything is there this costs about a millisecond, so what pulls and builds is
imported only when it is needed.
"""

import time
from collections.abc import Callable, Iterable

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Event, Progress
from cntnr_compose.core.values import Value
from cntnr_compose.engine.images import ImageStore, NoSuchImage
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Service
from cntnr_compose.plan import imagename, pullpolicy

Tell = Callable[[Event], None]
AT_ONCE = 8


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
    tell: Tell,
) -> dict[str, str]:
    """Have all images of a project; give their ids by the names that the file or the build gives them.

    ``pull`` wins over the services' own policies. Raises `NoSuchImage`, what `engine.images.pull`
    and `engine.build.build` raise, `PullPolicyInvalid`.
    """
    store = ImageStore()
    images = list(_wanted(project, pull, build=build))
    now = time.time()
    held = {one.name: store.find(one.name) for one in images}
    to_pull = []
    for one in images:
        found = held[one.name]
        if one.named and pullpolicy.must_pull(one.policy, found.tagged if found else None, now):
            to_pull.append(one)
    if to_pull:
        optional = [one for one in to_pull if one.builders and not no_build]
        pull_all(to_pull, folder=project.working_dir, optional=optional, tell=tell)
        held |= {one.name: store.find(one.name) for one in to_pull}
    ids = {name: image.id for name, image in held.items() if image}
    to_build: dict[str, str] = {}
    for one in images:
        if (
            one.builders
            and not no_build
            and pullpolicy.must_build(one.policy, is_here=one.name in ids)
        ):
            to_build[one.builders[0]] = one.name
        elif one.name not in ids:
            raise NoSuchImage(one.name)
    if to_build:
        from cntnr_compose.engine import build as builds

        made = builds.build(project, tuple(to_build), quiet=quiet, tell=tell)
        ids |= {name: made[service] for service, name in to_build.items()}
    return ids


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
    images: list[Wanted], *, folder: str, optional: Iterable[Wanted] = (), tell: Tell
) -> dict[str, str]:
    """Pull images at once; give their ids by name. Those that are optional may fail.

    Raises the first `CntnrError` of the others, when all have ended.
    """
    from concurrent.futures import ThreadPoolExecutor

    from cntnr_compose.adapters import skopeo
    from cntnr_compose.engine import images as store

    may_fail = {one.name for one in optional}
    failures: list[CntnrError] = []
    ids: dict[str, str] = {}

    def pull(one: Wanted) -> None:
        tell(Progress(kind="Image", name=one.name, status="Pulling"))
        try:
            source = imagename.located(one.name, folder)
            ids[one.name] = store.pull(one.name, source=source, platform=one.platform).id
        except CntnrError as error:
            if one.name in may_fail:
                word, state = "Warning", "warning"
            else:
                failures.append(error)
                word, state = "Error", "error"
            tell(Progress(kind="Image", name=one.name, status=word, state=state, detail=str(error)))
        else:
            tell(Progress(kind="Image", name=one.name, status="Pulled", state="done"))

    with ThreadPoolExecutor(min(AT_ONCE, len(images))) as pool:
        try:
            for job in [pool.submit(pull, one) for one in images]:
                job.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            skopeo.stop_all()
            raise
    if failures:
        raise failures[0]
    return ids
