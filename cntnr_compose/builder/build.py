"""Builds the images of a project's services: the command's side.

What is unchanged is noticed here, without the holder; the rest is for the builder, a process inside it.
"""

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cntnr_compose.builder import cache as builder_image
from cntnr_compose.builder import downloads as build_fetch
from cntnr_compose.builder import request as build_request
from cntnr_compose.builder.builder_steps import known
from cntnr_compose.builder.digests import Contents
from cntnr_compose.builder.dockerfile import parser as dockerfile
from cntnr_compose.builder.dockerfile import stages
from cntnr_compose.builder.dockerfile.steps import Work
from cntnr_compose.builder.source_files import SourceUnreadable
from cntnr_compose.builder.walker import Made, Order, Point, Request, Walk
from cntnr_compose.core.errors import CntnrError, RemoteError
from cntnr_compose.core.events import Emit, Event, Output, Progress
from cntnr_compose.core.uninterruptible import uninterruptible
from cntnr_compose.core.values import from_json, replace, to_json
from cntnr_compose.host import process
from cntnr_compose.host.namespaces import rootlesskit as holder
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image
from cntnr_compose.model.project import Project
from cntnr_compose.model.protocol import ErrorReply, EventReply, Reply, ResultReply
from cntnr_compose.model.service import Service

START = "from cntnr_compose.builder.worker.main import main; main()"


class BaseUnavailable(CntnrError):
    """An image that a Dockerfile names cannot be had."""

    def __init__(self, where: str, error: CntnrError) -> None:
        super().__init__(f"{where}: {error}")
        self.hint, self.exit_code = error.hint, error.exit_code


class BuilderGone(CntnrError):
    """The builder ended without saying why."""

    def __init__(self, said: str) -> None:
        super().__init__(f"the builder ended unexpectedly: {said or 'it was killed'}")


class ContextCycle(CntnrError):
    """Builds take files from each other's images in a circle."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"cannot build {', '.join(names)}: each takes files from another's image")


class NotBuilt(Exception):
    """Something is missing that only the builder can make."""


def build(
    project: Project,
    services: tuple[str, ...],
    *,
    no_cache: bool = False,
    pull: bool = False,
    args: Mapping[str, str] | None = None,
    quiet: bool = False,
    tell: Emit,
) -> dict[str, str]:
    """Build the images of services; give their ids by service.

    ``args`` win over those in the file. Services whose images others take files from go first.
    Raises a `CntnrError` for all that can be mended; then no image has changed but those that were built.
    """
    done: dict[str, str] = {}
    for group in _groups(project, services):
        requests = []
        for service in group:
            wanted = build_request.request(project, service, dict(args or {}))
            wanted = replace(wanted, no_cache=wanted.no_cache or no_cache)
            asked = pull or (service.build is not None and service.build.pull)
            wanted = _with_images(wanted, project, service, pull=asked, tell=tell)
            requests.append(build_fetch.with_downloads(wanted))
        done |= _build_group(project, requests, quiet=quiet, tell=tell)
    return done


def _groups(project: Project, services: tuple[str, ...]) -> Iterator[list[Service]]:
    """Give the services to build, each after those whose images it takes files from."""
    wanted = {name: project.service(name) for name in services}
    ahead = list(wanted)
    while ahead:
        for below in build_request.services_below(wanted[ahead.pop()]):
            if below not in wanted:
                wanted[below] = project.service(below)
                ahead.append(below)
    done: set[str] = set()
    while len(done) < len(wanted):
        group = [
            one
            for name, one in wanted.items()
            if name not in done and done.issuperset(build_request.services_below(one))
        ]
        if not group:
            raise ContextCycle([name for name in wanted if name not in done])
        done.update(one.name for one in group)
        yield [one for one in group if one.build is not None]


def _with_images(
    wanted: Request, project: Project, service: Service, *, pull: bool, tell: Emit
) -> Request:
    """Have all images that a build starts from or takes files from."""
    named = build_request.images_of(service)
    assert service.build is not None
    for name, word in service.build.additional_contexts.items():
        if word.startswith(build_request.SERVICE):
            below = project.service(word.removeprefix(build_request.SERVICE))
            named[name] = project.image_name(below)
    parsed = dockerfile.parse(wanted.text, wanted.file)
    scope = stages.scope(
        parsed, args=wanted.args, platform=wanted.platform, contexts=tuple(wanted.contexts)
    )
    found = {}
    for word, line in stages.needed_images(scope, scope.find(wanted.target)).items():
        where = f"{wanted.file}:{line}"
        found[word] = _image(
            named.get(word, word), where, pull=pull and word not in named, tell=tell
        )
    return replace(wanted, images=found)


def _image(ref: str, where: str, *, pull: bool, tell: Emit) -> Image:
    from cntnr_compose.images import store as images

    try:
        held = None if pull else ImageStore().find(ref)
        if held is not None:
            return held

        def told(kind: str, name: str) -> None:
            state = "done" if kind == "Pulled" else "working"
            tell(Progress(kind="Image", name=name, status=kind, state=state))

        return images.pull(ref, on_event=told)
    except CntnrError as error:
        raise BaseUnavailable(where, error) from error


def _build_group(
    project: Project, requests: list[Request], *, quiet: bool, tell: Emit
) -> dict[str, str]:
    images = {one.service: project.image_name(project.service(one.service)) for one in requests}
    for name in images.values():
        tell(Progress(kind="Image", name=name, status="Building"))
    done: dict[str, str] = {}
    heard = _silenced(tell) if quiet else tell
    try:
        done |= {one.service: found for one in requests if (found := _found(one))}
        left = tuple(one for one in requests if one.service not in done)
        if left:
            done |= _in_holder(left, tell=heard)
    except CntnrError:
        for service, name in images.items():
            if service not in done:
                tell(Progress(kind="Image", name=name, status="Error", state="error"))
        raise
    for name in images.values():
        tell(Progress(kind="Image", name=name, status="Built", state="done"))
    return done


def _silenced(tell: Emit) -> Emit:
    def heard(event: Event) -> None:
        if not isinstance(event, Output):
            tell(event)

    return heard


class _Lookup:
    """A kitchen that makes nothing: it ends the walk where something is missing."""

    def __init__(self, request: Request) -> None:
        self.contents = Contents(request, _not_shown)

    def tell(self, title: str, text: str) -> None:
        """Say nothing: there may be nothing to do."""

    def content(self, work: Work, where: str, origins: dict[str, Point]) -> str:
        """Name the content of what ``work`` reads."""
        return self.contents.of(work, where, origins)

    def make(
        self, key: str, _work: Work, point: Point, _where: str, _origins: dict[str, Point]
    ) -> Made:
        """Find the result of a step."""
        made = known(key, point)
        if made is None:
            raise NotBuilt
        return made


def _not_shown(_point: Point) -> contextlib.AbstractContextManager[Path]:
    raise NotBuilt


def _found(request: Request) -> str:
    """Find an image that needs no building, and see that it has its names; '' where there is none."""
    if request.no_cache:
        return ""
    store = ImageStore()
    lookup = _Lookup(request)
    try:
        point = Walk(request, lookup).end()
    except (NotBuilt, SourceUnreadable):
        return ""
    finally:
        lookup.contents.remember()
    built = builder_image.find(point, store)
    if built is None:
        return ""
    builder_image.name(built, request.names, store)
    return built.id


def _in_holder(requests: tuple[Request, ...], *, tell: Emit) -> dict[str, str]:
    with holder.temporary_holder("build") as held:
        order = Order(requests=requests, payload=held.payload)
        # On the machine's network: who has left it cannot go back, and steps may want it.
        argv = holder.nsenter_argv(held, [sys.executable, "-P", "-c", START], network=False)
        with contextlib.ExitStack() as undo:
            theirs, ours = os.pipe()
            orders = undo.enter_context(os.fdopen(ours, "wb"))
            ours, answers = os.pipe()
            replies = undo.enter_context(os.fdopen(ours, "rb"))
            said = undo.enter_context(os.fdopen(os.memfd_create("builder"), "w+b"))
            env = {**os.environ, "PATH": process.search_path()}
            with uninterruptible():
                try:
                    running = process.popen(
                        argv, env=env, stdin=theirs, stdout=answers, stderr=said.fileno(),
                        new_session=True, cwd="/",
                    )  # fmt: skip
                finally:
                    os.close(theirs)
                    os.close(answers)
                undo.callback(running.wait)
                # Before the wait: so the builder learns of our end, and waits for us in turn no more.
                undo.callback(replies.close)
                undo.callback(orders.close)
            orders.write(to_json(order) + b"\n")
            orders.flush()
            result = _heard(replies, tell)
            if result is None:
                running.wait()
                said.seek(0)
                raise BuilderGone(said.read().decode(errors="replace").strip().rpartition("\n")[2])
            return result


def _heard(replies: Iterable[bytes], tell: Emit) -> dict[str, str] | None:
    for line in replies:
        match from_json(line, Reply):  # type: ignore[arg-type]
            case EventReply(event=event):
                tell(event)
            case ResultReply(result=result):
                return {str(name): str(found) for name, found in result.items()}
            case ErrorReply() as failed:
                raise RemoteError(failed.error, failed.message, failed.hint, failed.exit_code)
    return None
