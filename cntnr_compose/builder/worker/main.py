"""Run the process that builds: inside the holder's namespaces, with a child in namespaces of its own.

It writes replies as lines to standard output. When its standard input ends, the command is gone: the worker
stops everything that it has started, and ends.
"""

import contextlib
import errno
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

from cntnr_compose.builder.cache import records
from cntnr_compose.builder.request import BuildJob, BuildRequest, BuiltImage
from cntnr_compose.builder.walker import StageState, StageWalker
from cntnr_compose.builder.worker.export import export_files
from cntnr_compose.builder.worker.image import (
    LayerPacker,
    StepResults,
    assemble_image,
    write_cache_image,
)
from cntnr_compose.builder.worker.rootfs import StageRootfs
from cntnr_compose.builder.worker.run.program_runner import ProgramRunner, kill_all
from cntnr_compose.builder.worker.step_executor import Cancelled, StepExecutor, WorkerState
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Event, WarningEvent
from cntnr_compose.core.user_config import read_user_config
from cntnr_compose.core.values import Tree, replace, to_json, to_tree
from cntnr_compose.host import mounts
from cntnr_compose.host.namespaces import isolation, rootlesskit
from cntnr_compose.host.namespaces.holder import (
    ENDED_FROM_OUTSIDE,
    HolderFailed,
    find_holder,
    join_namespaces,
)
from cntnr_compose.images import unsynced
from cntnr_compose.images.layers import unpack
from cntnr_compose.images.storage.build_cache import limit_cache
from cntnr_compose.images.storage.detached import remove_here
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.protocol import ErrorReply, EventReply, ResultReply

CANCELLED = 130
MAX_BUILDS = 64  # at once: mostly they wait for programs
CLEANUP_TIMEOUT = 2.0  # seconds for cancelled builds to remove what is incomplete
SHOWN_AFTER = 0.3  # seconds until the command has written what it was sent
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class BuildDiskFull(CntnrError):
    """The disk is full."""

    hint = paths.DiskFull.hint

    def __init__(self, service: str) -> None:
        super().__init__(f"cannot build {service}: no space left on the disk")


class BuildFailed(CntnrError):
    """The kernel refuses what a step needs."""

    def __init__(self, service: str, error: OSError) -> None:
        super().__init__(
            f"cannot build {service}: {error.strerror or error}: {error.filename or ''}"
        )


class ReplyChannel:
    """Write replies to standard output, from several threads."""

    def __init__(self) -> None:
        # Keep all other output, such as a library's, out of our lines.
        self._out = os.fdopen(os.dup(1), "wb", buffering=0)
        self._lock = threading.Lock()
        self._warned: set[str] = set()
        os.dup2(2, 1)

    def send(self, value: object) -> None:
        """Write one line; a reader that is gone is noticed by `_watch_stdin`."""
        with self._lock, contextlib.suppress(OSError):
            self._out.write(to_json(value) + b"\n")

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Have all who write wait, so that the terminal is somebody else's."""
        time.sleep(SHOWN_AFTER)
        with self._lock:
            yield

    def emit(self, event: Event) -> None:
        """Write an event."""
        self.send(EventReply(event=event))

    def warn(self, text: str) -> None:
        """Write a warning, once."""
        if text not in self._warned:
            self._warned.add(text)
            self.emit(WarningEvent(text=text))


def run(job: BuildJob) -> NoReturn:
    """Run a job inside the holder, in an isolated child; where it is cancelled, stop an unused holder.

    For a process of one thread. Raises `HolderFailed`.
    """
    holder = find_holder()
    if holder is None:
        raise HolderFailed(ENDED_FROM_OUTSIDE)
    join_namespaces(holder)
    inside = os.fork()  # only a child is in the holder's pid namespace
    if inside:
        os._exit(_wait_for(inside))
    child = isolation.fork_isolated()
    if child == 0:
        _run_job(job)
    status = _wait_for(child)
    if status != 0:
        rootlesskit.stop_from_inside(holder.payload)
    os._exit(status)


def _wait_for(child: int) -> int:
    """Wait for a child, which gets the signals that would stop us; return its status."""
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: os.kill(child, signal.SIGTERM))
    return abs(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _run_job(job: BuildJob) -> NoReturn:
    """Build everything, reply, and exit."""
    channel = ReplyChannel()
    program_runner = ProgramRunner(_mount_workspace(), channel.warn)
    worker = WorkerState(StageRootfs(ImageStore()), program_runner, channel.emit)
    worker.terminal, worker.hold_output = job.terminal, channel.hold
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: _cancel(worker))
    for target in (_watch_stdin, _kill_when_cancelled):
        threading.Thread(target=target, args=(worker,), daemon=True).start()
    paths.make_data_folder(paths.layers())
    unsynced.move_away_unsynced()
    unpack.create_empty_layer()
    os.umask(0o022)  # of image builds, whatever the user's own is
    try:
        channel.send(ResultReply(result=_build_all(job, worker)))
        _limit_cache()
    except Cancelled:
        os._exit(CANCELLED)
    except CntnrError as error:
        if worker.abandoned:
            os._exit(CANCELLED)
        channel.send(
            ErrorReply(
                error=error.kind, message=str(error), hint=error.hint, exit_code=error.exit_code
            )
        )
    os._exit(0)  # do not wait for the thread that reads standard input


def _limit_cache() -> None:
    """Remove what was used longest ago where the build cache is larger than the user wants it."""
    with contextlib.suppress(
        CntnrError, OSError
    ):  # the build has succeeded; the next one tries again
        remove_here()  # what the machine stopped before it was on the disk
        limit_cache(read_user_config().build.keep_storage)


def _watch_stdin(worker: WorkerState) -> None:
    """Cancel everything when standard input ends."""
    while os.read(0, 4096):
        pass
    _cancel(worker)


def _cancel(worker: WorkerState) -> None:
    worker.abandoned = True
    worker.cancelled.set()


def _kill_when_cancelled(worker: WorkerState) -> None:
    """Once cancelled, kill every program, also those that are just being started.

    Where the command is gone, do not wait longer than `CLEANUP_TIMEOUT`: the next builder cleans up.
    """
    worker.cancelled.wait()
    deadline = time.monotonic() + CLEANUP_TIMEOUT
    while time.monotonic() < deadline or not worker.abandoned:
        kill_all()
        time.sleep(0.01)
    os._exit(CANCELLED)


def _mount_workspace() -> Path:
    """Mount a tmpfs for bundles and secrets, which ends with this process's mount namespace."""
    folder = paths.holder_tmpfs() / "build"
    folder.mkdir(parents=True, exist_ok=True)
    mounts.mount_tmpfs(folder)
    return folder


def _build_all(job: BuildJob, worker: WorkerState) -> Tree:
    """Build everything in parallel; the first failure cancels the others."""
    store = ImageStore()
    packer = LayerPacker(store)
    worker.on_layer = packer.start

    def build(request: BuildRequest) -> BuiltImage:
        try:
            return _build(StepExecutor(request, worker, job.caches), store, packer)
        except BaseException as error:
            worker.fail(error)
            raise

    with store.protect_blobs(), ThreadPoolExecutor(min(len(job.requests), MAX_BUILDS)) as pool:
        futures = [pool.submit(build, request) for request in job.requests]
        exceptions = [future.exception() for future in futures]
        packer.close()
    if worker.failure is not None:
        raise worker.failure
    assert not any(exceptions), exceptions
    return {
        request.service: to_tree(future.result())
        for request, future in zip(job.requests, futures, strict=True)
    }


def _build(executor: StepExecutor, store: ImageStore, packer: LayerPacker) -> BuiltImage:
    """Build one image, or find it in the cache; write the files that are asked for."""
    request, worker = executor.request, executor.worker
    try:
        state = StageWalker(request, executor).walk_in_threads(worker.fail)
        executor.digests.save()
        for export in request.exports:
            export_files(state, export, request, worker)
        image = BuiltImage()
        if request.needs_image:
            image = _find_or_assemble(state, request, worker, store, packer, executor.results)
        if request.cache_to:
            cache = write_cache_image(state, executor.results, request, store, packer)
            image = replace(image, cache=cache)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BuildDiskFull(request.service) from error
        raise BuildFailed(request.service, error) from error
    return image


def _find_or_assemble(
    state: StageState,
    request: BuildRequest,
    worker: WorkerState,
    store: ImageStore,
    packer: LayerPacker,
    results: StepResults,
) -> BuiltImage:
    is_cached = not request.no_cache and not request.no_cache_stages
    image = records.find_image(state, store, request.variant) if is_cached else None
    if image is None:
        image = assemble_image(state, request, store, packer, worker.rootfs, results)
    worker.raise_if_cancelled()
    if request.is_tagged:
        records.tag_image(image, request.names, store)
    return image
