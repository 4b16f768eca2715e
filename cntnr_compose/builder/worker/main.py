"""The process that builds: inside the holder, with a child that does it in namespaces of its own.

It reads one `Order` as a line from its standard input and writes what happens as lines to its standard
output. When the input ends, nobody waits any more: it stops, and with it everything that it started.
"""

import contextlib
import errno
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

from cntnr_compose.builder import cache as builder_image
from cntnr_compose.builder.walker import BuildJob, BuildRequest, StageWalker
from cntnr_compose.builder.worker.image import LayerPacker, assemble_image
from cntnr_compose.builder.worker.rootfs import StageRootfs, create_empty_layer
from cntnr_compose.builder.worker.run import ProgramRunner, kill_all
from cntnr_compose.builder.worker.step_executor import Cancelled, StepExecutor, WorkerState
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Event, WarningEvent
from cntnr_compose.core.values import from_json, to_json
from cntnr_compose.host import mounts
from cntnr_compose.host.namespaces import isolation as solitude
from cntnr_compose.host.namespaces import rootlesskit
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.protocol import ErrorReply, EventReply, ResultReply

CANCELLED = 130
CLEANUP_TIMEOUT = 2.0  # seconds in which whoever was cancelled takes away what is half made
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class BuildDiskFull(CntnrError):
    """There is no room for the result of a step."""

    hint = paths.DiskFull.hint

    def __init__(self, service: str) -> None:
        super().__init__(f"cannot build {service}: no space left on the disk")


class BuildFailed(CntnrError):
    """The machine does not let us do what a step takes."""

    def __init__(self, service: str, error: OSError) -> None:
        super().__init__(
            f"cannot build {service}: {error.strerror or error}: {error.filename or ''}"
        )


class ReplyChannel:
    """Our standard output, for several threads."""

    def __init__(self) -> None:
        # Programs that forget where they are must not write between our lines.
        self._out = os.fdopen(os.dup(1), "wb", buffering=0)
        self._lock = threading.Lock()
        self._warned: set[str] = set()
        os.dup2(2, 1)

    def send(self, value: object) -> None:
        """Write one line; that nobody reads any more is noticed elsewhere."""
        with self._lock, contextlib.suppress(OSError):
            self._out.write(to_json(value) + b"\n")

    def emit(self, event: Event) -> None:
        """Tell an event."""
        self.send(EventReply(event=event))

    def warn(self, text: str) -> None:
        """Tell a warning, once."""
        if text not in self._warned:
            self._warned.add(text)
            self.emit(WarningEvent(text=text))


def main() -> None:
    """Carry out one order, in a child that is alone; where nobody waits any more, end the holder too."""
    order = from_json(sys.stdin.buffer.readline(), BuildJob)
    child = solitude.fork_isolated()
    if child == 0:
        _run_job(order)
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: os.kill(child, signal.SIGTERM))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != 0:
        rootlesskit.stop_from_inside(order.payload)
    os._exit(abs(status))


def _run_job(order: BuildJob) -> NoReturn:
    channel = ReplyChannel()
    runner = ProgramRunner(_mount_workspace(), channel.warn)
    shop = WorkerState(StageRootfs(ImageStore()), runner, channel.emit)
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: _cancel(shop))
    for work in (_watch_stdin, _kill_when_cancelled):
        threading.Thread(target=work, args=(shop,), daemon=True).start()
    paths.make_data_folder(paths.layers())
    create_empty_layer()
    os.chdir(paths.layers())
    os.umask(0o022)  # what images are made with, whatever the user's own is
    try:
        channel.send(ResultReply(result=_build_all(order, shop)))
    except Cancelled:
        os._exit(CANCELLED)
    except CntnrError as error:
        if shop.abandoned:
            os._exit(CANCELLED)
        channel.send(
            ErrorReply(
                error=error.kind, message=str(error), hint=error.hint, exit_code=error.exit_code
            )
        )
    os._exit(0)  # the thread that reads our input would keep us


def _watch_stdin(shop: WorkerState) -> None:
    while os.read(0, 4096):
        pass
    _cancel(shop)


def _cancel(shop: WorkerState) -> None:
    shop.abandoned = True
    shop.cancelled.set()


def _kill_when_cancelled(shop: WorkerState) -> None:
    """When the build is not to go on, end every program, those that are only about to start, too.

    Where nobody waits any more, what is not done with soon is left to the next builder.
    """
    shop.cancelled.wait()
    end = time.monotonic() + CLEANUP_TIMEOUT
    while time.monotonic() < end or not shop.abandoned:
        kill_all()
        time.sleep(0.01)
    os._exit(CANCELLED)


def _mount_workspace() -> Path:
    """Make a place for bundles and secrets that goes with this process's mounts."""
    place = paths.holder_tmpfs() / "build"
    place.mkdir(parents=True, exist_ok=True)
    mounts.mount_tmpfs(place)
    return place


def _build_all(order: BuildJob, shop: WorkerState) -> dict[str, str]:
    """Build everything; the first failure ends the others."""
    store = ImageStore()
    packer = LayerPacker(store)
    shop.on_layer = packer.start
    failures: list[BaseException] = []

    def build(request: BuildRequest) -> str:
        try:
            return _build(request, shop, store, packer)
        except BaseException as error:
            failures.append(error)
            shop.cancelled.set()
            raise

    with store.protect_blobs(), ThreadPoolExecutor(max(2, os.cpu_count() or 1)) as pool:
        jobs = [pool.submit(build, request) for request in order.requests]
        found = [job.exception() for job in jobs]
        packer.close()
    if failures:
        raise failures[0]
    assert not any(found), found
    return {one.service: job.result() for one, job in zip(order.requests, jobs, strict=True)}


def _build(request: BuildRequest, shop: WorkerState, store: ImageStore, packer: LayerPacker) -> str:
    kitchen = StepExecutor(request, shop)
    try:
        point = StageWalker(request, kitchen).walk_target()
        kitchen.digests.save()
        built = None if request.no_cache else builder_image.find_image(point, store)
        if built is None:
            built = assemble_image(point, request, store, packer, shop.rootfs)
        shop.raise_if_cancelled()
        builder_image.tag_image(built, request.names, store)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BuildDiskFull(request.service) from error
        raise BuildFailed(request.service, error) from error
    return built.id


if __name__ == "__main__":
    main()
