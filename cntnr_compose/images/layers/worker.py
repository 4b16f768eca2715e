"""Run the process that unpacks the layers of an image, a child for each, inside the namespaces.

It reads one `UnpackJob` as a line from standard input, and writes an `ErrorReply` where it fails. It ends
with the process that started it. Of a job whose blobs still arrive, a further line tells that all are there.
"""

import contextlib
import io
import os
import select
import signal
import traceback
from pathlib import Path
from typing import NoReturn

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import from_json, to_json
from cntnr_compose.host import files
from cntnr_compose.host.namespaces import isolation
from cntnr_compose.images import leases
from cntnr_compose.images.layers.job import UnpackJob
from cntnr_compose.images.layers.layer import ARRIVAL_PAUSE, ensure_layer
from cntnr_compose.model.protocol import ErrorReply

MAX_CHILDREN = 4
FAILED = 1


def main() -> None:
    """Unpack the layers that are missing; where one fails or a signal ends us, end all and clean up."""
    isolation.end_with_parent(signal.SIGTERM)
    job = from_json(io.FileIO(0, closefd=False).readline(), UnpackJob)  # and not a byte more
    os.umask(0)
    children: set[int] = set()
    signal.signal(signal.SIGTERM, lambda *_: _fail(children))
    limit = min(MAX_CHILDREN, len(os.sched_getaffinity(0)))
    with leases.hold_lease(Path(job.store)):
        names = enumerate(job.names)
        pending = [n for n, name in names if not leases.mark_used(paths.layers() / name)]
        if job.is_arriving:
            _unpack_arriving(job, pending, children, limit)
            return
        for number in pending:
            if len(children) == limit:
                _wait_for_one(children)
            children.add(_start(job, number))
        while children:
            _wait_for_one(children)


def _unpack_arriving(job: UnpackJob, pending: list[int], children: set[int], limit: int) -> None:
    """Unpack each layer once its blob is there; end when a line tells that all are, or the input ends."""
    is_arriving = True
    while children or (pending and is_arriving):
        if is_arriving and select.select([0], [], [], ARRIVAL_PAUSE)[0]:
            if not os.read(0, 1):
                _fail(children)
            is_arriving = False
            if not all(Path(layer.path).exists() for layer in job.layers):
                _fail(children)  # they would wait for ever
        for number in [n for n in pending if Path(job.layers[n].path).exists()]:
            if len(children) < limit:
                pending.remove(number)
                children.add(_start(job, number))
        if children:
            _wait_for_one(children, os.WNOHANG if is_arriving else 0)


def _start(job: UnpackJob, number: int) -> int:
    """Fork a child that unpacks a layer; return its pid."""
    blocked = {signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        isolation.end_with_parent()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, blocked)
    if child == 0:
        _run(job, number)
    return child


def _run(job: UnpackJob, number: int) -> NoReturn:
    status = FAILED
    try:
        ensure_layer(job, number)
        status = 0
    except CntnrError as error:
        os.write(1, to_json(ErrorReply.from_error(error)) + b"\n")
    except BaseException:  # noqa: BLE001 - a fork must not go on with what its parent was doing
        traceback.print_exc()
    finally:
        os._exit(status)


def _wait_for_one(children: set[int], options: int = 0) -> None:
    child, status = os.waitpid(-1, options)
    children.discard(child)
    if status != 0:
        _fail(children)


def _fail(children: set[int]) -> NoReturn:
    """End all children, remove what they leave, and exit."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for child in children:
        with contextlib.suppress(ProcessLookupError):  # it has been waited for just now
            os.kill(child, signal.SIGKILL)
    for child in children:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)
    with files.file_lock(paths.layers() / ".lock"):
        files.remove_stale_staging(paths.layers())
    os._exit(FAILED)
