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
from cntnr_compose.builder.builder_steps import find_step
from cntnr_compose.builder.digests import InputDigests
from cntnr_compose.builder.dockerfile import parser as dockerfile
from cntnr_compose.builder.dockerfile import stages
from cntnr_compose.builder.dockerfile.steps import BuildStep
from cntnr_compose.builder.source_files import SourceUnreadable
from cntnr_compose.builder.walker import BuildJob, BuildRequest, StageState, StageWalker, StepResult
from cntnr_compose.core.errors import CntnrError, RemoteError
from cntnr_compose.core.events import Emit, Event, Output, Progress
from cntnr_compose.core.uninterruptible import uninterruptible
from cntnr_compose.core.values import from_json, replace, to_json
from cntnr_compose.host import process
from cntnr_compose.host.namespaces import holder, rootlesskit
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image
from cntnr_compose.model.project import Project
from cntnr_compose.model.protocol import ErrorReply, EventReply, Reply, ResultReply
from cntnr_compose.model.service import Service

WORKER_SCRIPT = "from cntnr_compose.builder.worker.main import main; main()"


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


def build_images(
    project: Project,
    services: tuple[str, ...],
    *,
    no_cache: bool = False,
    pull: bool = False,
    args: Mapping[str, str] | None = None,
    quiet: bool = False,
    emit: Emit,
) -> dict[str, str]:
    """Build the images of services; give their ids by service.

    ``args`` win over those in the file. Services whose images others take files from go first.
    Raises a `CntnrError` for all that can be mended; then no image has changed but those that were built.
    """
    done: dict[str, str] = {}
    for group in _dependency_groups(project, services):
        requests = []
        for service in group:
            wanted = build_request.create_request(project, service, dict(args or {}))
            wanted = replace(wanted, no_cache=wanted.no_cache or no_cache)
            asked = pull or (service.build is not None and service.build.pull)
            wanted = _with_base_images(wanted, project, service, pull=asked, emit=emit)
            requests.append(build_fetch.fetch_downloads(wanted))
        done |= _build_group(project, requests, quiet=quiet, emit=emit)
    return done


def _dependency_groups(project: Project, services: tuple[str, ...]) -> Iterator[list[Service]]:
    """Give the services to build, each after those whose images it takes files from."""
    wanted = {name: project.service(name) for name in services}
    ahead = list(wanted)
    while ahead:
        for below in build_request.context_services(wanted[ahead.pop()]):
            if below not in wanted:
                wanted[below] = project.service(below)
                ahead.append(below)
    done: set[str] = set()
    while len(done) < len(wanted):
        group = [
            one
            for name, one in wanted.items()
            if name not in done and done.issuperset(build_request.context_services(one))
        ]
        if not group:
            raise ContextCycle([name for name in wanted if name not in done])
        done.update(one.name for one in group)
        yield [one for one in group if one.build is not None]


def _with_base_images(
    wanted: BuildRequest, project: Project, service: Service, *, pull: bool, emit: Emit
) -> BuildRequest:
    """Have all images that a build starts from or takes files from."""
    named = build_request.context_images(service)
    assert service.build is not None
    for name, word in service.build.additional_contexts.items():
        if word.startswith(build_request.SERVICE_PREFIX):
            below = project.service(word.removeprefix(build_request.SERVICE_PREFIX))
            named[name] = project.image_name(below)
    parsed = dockerfile.parse_dockerfile(wanted.text, wanted.file)
    scope = stages.split_stages(
        parsed, args=wanted.args, platform=wanted.platform, contexts=tuple(wanted.contexts)
    )
    found = {}
    for word, line in stages.required_images(scope, scope.find_stage(wanted.target)).items():
        where = f"{wanted.file}:{line}"
        found[word] = _find_or_pull(
            named.get(word, word), where, pull=pull and word not in named, emit=emit
        )
    return replace(wanted, images=found)


def _find_or_pull(ref: str, where: str, *, pull: bool, emit: Emit) -> Image:
    from cntnr_compose.images import store as images

    try:
        held = None if pull else ImageStore().find(ref)
        if held is not None:
            return held

        def told(kind: str, name: str) -> None:
            state = "done" if kind == "Pulled" else "working"
            emit(Progress(kind="Image", name=name, status=kind, state=state))

        return images.pull_image(ref, on_progress=told)
    except CntnrError as error:
        raise BaseUnavailable(where, error) from error


def _build_group(
    project: Project, requests: list[BuildRequest], *, quiet: bool, emit: Emit
) -> dict[str, str]:
    images = {one.service: project.image_name(project.service(one.service)) for one in requests}
    for name in images.values():
        emit(Progress(kind="Image", name=name, status="Building"))
    done: dict[str, str] = {}
    heard = _without_output(emit) if quiet else emit
    try:
        done |= {one.service: found for one in requests if (found := _find_cached_image(one))}
        left = tuple(one for one in requests if one.service not in done)
        if left:
            done |= _run_worker(left, emit=heard)
    except CntnrError:
        for service, name in images.items():
            if service not in done:
                emit(Progress(kind="Image", name=name, status="Error", state="error"))
        raise
    for name in images.values():
        emit(Progress(kind="Image", name=name, status="Built", state="done"))
    return done


def _without_output(tell: Emit) -> Emit:
    def heard(event: Event) -> None:
        if not isinstance(event, Output):
            tell(event)

    return heard


class _CacheLookup:
    """A kitchen that makes nothing: it ends the walk where something is missing."""

    def __init__(self, request: BuildRequest) -> None:
        self.contents = InputDigests(request, _refuse_rootfs)

    def tell(self, title: str, text: str) -> None:
        """Say nothing: there may be nothing to do."""

    def content(self, work: BuildStep, where: str, origins: dict[str, StageState]) -> str:
        """Name the content of what ``work`` reads."""
        return self.contents.step_digest(work, where, origins)

    def make(
        self,
        key: str,
        _work: BuildStep,
        point: StageState,
        _where: str,
        _origins: dict[str, StageState],
    ) -> StepResult:
        """Find the result of a step."""
        made = find_step(key, point)
        if made is None:
            raise NotBuilt
        return made


def _refuse_rootfs(_point: StageState) -> contextlib.AbstractContextManager[Path]:
    raise NotBuilt


def _find_cached_image(request: BuildRequest) -> str:
    """Find an image that needs no building, and see that it has its names; '' where there is none."""
    if request.no_cache:
        return ""
    store = ImageStore()
    lookup = _CacheLookup(request)
    try:
        point = StageWalker(request, lookup).walk_target()
    except (NotBuilt, SourceUnreadable):
        return ""
    finally:
        lookup.contents.save()
    built = builder_image.find_image(point, store)
    if built is None:
        return ""
    builder_image.tag_image(built, request.names, store)
    return built.id


def _run_worker(requests: tuple[BuildRequest, ...], *, emit: Emit) -> dict[str, str]:
    with rootlesskit.temporary_holder("build") as held:
        order = BuildJob(requests=requests, payload=held.payload)
        # On the machine's network: who has left it cannot go back, and steps may want it.
        argv = holder.nsenter_argv(held, [sys.executable, "-P", "-c", WORKER_SCRIPT], network=False)
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
            result = _read_replies(replies, emit)
            if result is None:
                running.wait()
                said.seek(0)
                raise BuilderGone(said.read().decode(errors="replace").strip().rpartition("\n")[2])
            return result


def _read_replies(replies: Iterable[bytes], tell: Emit) -> dict[str, str] | None:
    for line in replies:
        match from_json(line, Reply):  # type: ignore[arg-type]
            case EventReply(event=event):
                tell(event)
            case ResultReply(result=result):
                return {str(name): str(found) for name, found in result.items()}
            case ErrorReply() as failed:
                raise RemoteError(failed.error, failed.message, failed.hint, failed.exit_code)
    return None
