"""Build images: the command's side.

Unchanged images are recognised here, without the namespaces; the worker, a process inside them, builds
the rest.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

from cntnr_compose.builder.annotations import annotate_image
from cntnr_compose.builder.cache.lookup import find_cached_image
from cntnr_compose.builder.dockerfile.parser import DockerfileInvalid
from cntnr_compose.builder.dockerfile.required_images import required_images
from cntnr_compose.builder.dockerfile.syntax.directives import CHECK_ARG
from cntnr_compose.builder.downloads import fetch_downloads
from cntnr_compose.builder.request import BuildJob, BuildRequest, BuiltImage, parse_stages
from cntnr_compose.builder.sources.file_digests import DigestCaches
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, Event, Output, Progress, WarningEvent
from cntnr_compose.core.values import Bytes, replace, to_json
from cntnr_compose.images import leases
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image


class BaseUnavailable(CntnrError):
    """An image that a Dockerfile names cannot be pulled."""

    def __init__(self, where: str, error: CntnrError) -> None:
        super().__init__(f"{where}: {error}")
        self.hint, self.exit_code = error.hint, error.exit_code


class TextInvalid(CntnrError):
    """A name, path or value of a build is not UTF-8, as Dockerfiles and images are."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f'cannot build {name}: "{text}" is not UTF-8')


class NoTerminalForShell(CntnrError):
    """A shell was asked for, but there is no terminal for it."""

    hint = "run it in a terminal, or leave the option out"

    def __init__(self) -> None:
        super().__init__("--shell-on-failure needs a terminal, and standard input is none")


@contextlib.contextmanager
def open_terminal() -> Iterator[int]:
    """Open the user's terminal. Raises `NoTerminalForShell`."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise NoTerminalForShell
    descriptor = os.dup(sys.stderr.fileno())  # whoever writes to a terminal may read from it, too
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def build_images(
    requests: Sequence[BuildRequest],
    *,
    quiet: bool = False,
    shell_on_failure: bool = False,
    emit: Emit,
) -> dict[str, BuiltImage]:
    """Build images that do not depend on each other, and write their outputs; return them by name.

    The name is ``request.service``. With ``shell_on_failure`` a RUN that fails ends in a shell on the user's
    terminal, in the state before it. Raises `NoTerminalForShell` where there is none, and a `CntnrError`
    for all that a user can fix; then no output has been written, but those into folders and pipes.
    """
    _check_text(requests)
    with contextlib.ExitStack() as undo:
        undo.enter_context(ImageStore().protect_blobs())
        terminal = undo.enter_context(open_terminal()) if shell_on_failure else -1
        opened = undo.enter_context(_open_exports(requests))
        built = _build(opened, terminal, emit=_without_output(emit) if quiet else emit)
        for request in opened:
            built[request.service] = annotate_image(request, built[request.service])
            _write_elsewhere(request, built[request.service], emit)
            _keep_unnamed(request, built[request.service])
    return built


# What a build that is in the cache does not need is imported where it is needed: that takes 10 ms.


def _open_exports(
    requests: Sequence[BuildRequest],
) -> AbstractContextManager[Sequence[BuildRequest]]:
    """Open what the worker writes files to, where there is such an output."""
    if not any(request.outputs for request in requests):
        return contextlib.nullcontext(requests)
    from cntnr_compose.builder.outputs import open_exports

    return open_exports(requests)


def _write_elsewhere(request: BuildRequest, built: BuiltImage, emit: Emit) -> None:
    """Write archives and caches of an image, and push it, as its request asks for."""
    if request.outputs:
        from cntnr_compose.builder.outputs import write_archives

        write_archives(request, built, emit)
    if request.cache_to:
        from cntnr_compose.builder.cache.transfer import export_caches

        export_caches(request, built, emit)


def _with_imported_caches(request: BuildRequest, emit: Emit) -> BuildRequest:
    if not request.cache_from:
        return request
    from cntnr_compose.builder.cache.transfer import import_caches

    return import_caches(request, emit)


def _check_text(requests: Sequence[BuildRequest]) -> None:
    """Raise `TextInvalid` where something cannot be written into an image or sent to the worker."""
    for request in requests:
        try:
            to_json(request)
        except UnicodeEncodeError as error:
            raise TextInvalid(request.service, str(error.object)) from None


def _keep_unnamed(request: BuildRequest, image: BuiltImage) -> None:
    """Add an image that has no name to the store: it goes by its id."""
    if not request.names and request.is_tagged and image.manifest is not None:
        ImageStore().add_untagged(image.manifest)


def _build(requests: Sequence[BuildRequest], terminal: int, *, emit: Emit) -> dict[str, BuiltImage]:
    """Build those images that are not built already."""
    for request in requests:
        for note in request.notes:
            emit(WarningEvent(text=note))
    prepared = [_prepare(request, emit) for request in requests]
    for request in prepared:
        _report(request, "Building", emit)
    built: dict[str, BuiltImage] = {}
    try:
        caches = DigestCaches()
        for request in prepared:
            image = find_cached_image(request, caches)
            if image is not None:
                built[request.service] = image
        changed = tuple(request for request in prepared if request.service not in built)
        if changed:
            from cntnr_compose.builder.worker_process import run_worker

            changed = tuple(_with_imported_caches(request, emit) for request in changed)
            built |= run_worker(BuildJob(changed, caches, terminal), emit=emit)
    except CntnrError:
        for request in prepared:
            if request.service not in built:
                _report(request, "Error", emit)
        raise
    for request in prepared:
        _report(request, "Built", emit)
    return built


def _prepare(request: BuildRequest, emit: Emit) -> BuildRequest:
    """Look up what a build needs from elsewhere; what is wrong with its Dockerfile is told here."""
    try:
        request = _with_base_images(request, emit)
        if "check" in request.text or CHECK_ARG in request.args:
            from cntnr_compose.builder.check import fail_on_findings

            fail_on_findings(request)
        return fetch_downloads(request)
    except DockerfileInvalid as error:
        raise error.with_excerpt(request.text) from None


def _report(request: BuildRequest, status: str, emit: Emit) -> None:
    states = {"Built": "done", "Error": "error"}
    state = states.get(status, "working")
    emit(Progress(kind="Image", name=request.title, status=status, state=state))


def _with_base_images(request: BuildRequest, emit: Emit) -> BuildRequest:
    """Look up or pull all images that a build starts from or takes files from."""
    scope = parse_stages(request)
    for name in set(request.no_cache_stages) - {stage.name for stage in scope.stages}:
        emit(WarningEvent(text=f"no_cache_filter: there is no stage {name} in {request.file}"))
    images: dict[str, Image] = {}
    while True:  # triggers of an image may name others
        triggers = {word: image.config.on_build or () for word, image in images.items()}
        required = required_images(scope, scope.find_stage(request.target), triggers)
        missing = {word: line for word, line in required.items() if word not in images}
        if not missing:
            return replace(request, images=images)
        for word, line in missing.items():
            images[word] = _find_or_pull(
                request.context_images.get(word, word),
                f"{request.file}:{line}",
                pull=_must_pull(request, word),
                emit=emit,
            )


def _must_pull(request: BuildRequest, word: str) -> bool:
    """Return whether an image is asked for though there is one; a layout may have changed."""
    named = request.context_images.get(word)
    return request.pull if named is None else named.startswith("oci:")


def _find_or_pull(ref: str, where: str, *, pull: bool, emit: Emit) -> Image:
    """Look an image up, or pull it. Raises `BaseUnavailable`."""

    def report_pull(status: str, name: str) -> None:
        state = "done" if status == "Pulled" else "working"
        emit(Progress(kind="Image", name=name, status=status, state=state))

    def report_bytes(current: Bytes, total: Bytes) -> None:
        emit(Progress(kind="Image", name=ref, status="Pulling", current=current, total=total))

    try:
        store = ImageStore()
        with leases.hold_off(store.root):
            existing = None if pull else store.find(ref)
            if existing is not None:
                store.mark_used(existing.id)
        if existing is not None:
            return existing
        from cntnr_compose.images.transports.transfer import pull_image

        return pull_image(ref, on_progress=report_pull, on_bytes=report_bytes)
    except CntnrError as error:
        raise BaseUnavailable(where, error) from error


def _without_output(emit: Emit) -> Emit:
    """Filter out what the steps print."""

    def emit_rest(event: Event) -> None:
        if not isinstance(event, Output):
            emit(event)

    return emit_rest
