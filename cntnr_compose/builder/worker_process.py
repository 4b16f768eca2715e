"""Fork the worker process, have it join the namespaces, and read its replies."""

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Iterable
from typing import NoReturn

from cntnr_compose.builder.request import BuildJob, BuiltImage
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError, RemoteError
from cntnr_compose.core.events import Emit
from cntnr_compose.core.uninterruptible import uninterruptible
from cntnr_compose.core.values import from_json, from_tree
from cntnr_compose.host import process
from cntnr_compose.host.children import forks
from cntnr_compose.host.namespaces import rootlesskit
from cntnr_compose.images import unsynced
from cntnr_compose.model.protocol import ErrorReply, EventReply, Reply, ResultReply

STANDARD_STREAMS = (0, 1, 2)
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
FAILED = 1
TITLE = "cntnr builder"


class BuilderGone(CntnrError):
    """The worker ended without a reply."""

    def __init__(self, stderr: str) -> None:
        super().__init__(f"the builder ended unexpectedly: {stderr or 'it was killed'}")


def run_worker(job: BuildJob, *, emit: Emit) -> dict[str, BuiltImage]:
    """Build images in a worker; return them by service. Raises `RemoteError`, `BuilderGone`."""
    worker = _Worker(job)
    with contextlib.ExitStack() as undo:
        undo.callback(worker.end)  # where the holder does not start
        undo.enter_context(rootlesskit.temporary_holder("build", worker.start))
        undo.callback(worker.end)  # before the holder
        worker.start()
        worker.join_holder()
        images = _read_replies(worker.replies, emit)
        if images is None:
            raise BuilderGone(worker.last_error_line())
    unsynced.start_sync()
    return images


class _Worker:
    """A worker, which is a fork of this command: most of what it needs is imported already.

    The rest it imports while the holder starts. It stops when the pipe from the command is closed.
    """

    def __init__(self, job: BuildJob) -> None:
        self._job, self._pid = job, 0
        self._undo = contextlib.ExitStack()

    def start(self) -> None:
        """Fork the worker, unless that was done."""
        if self._pid:
            return
        paths.secure_runtime()  # the worker cannot find it out: it has another uid
        worker_in, command_end = os.pipe()
        self._command = self._undo.enter_context(os.fdopen(command_end, "wb"))
        replies_end, worker_out = os.pipe()
        self.replies = self._undo.enter_context(os.fdopen(replies_end, "rb"))
        self._errors = self._undo.enter_context(os.fdopen(os.memfd_create("builder"), "w+b"))
        streams = (worker_in, worker_out, self._errors.fileno())
        try:
            with uninterruptible():
                self._pid = forks.fork_child((*streams, *self._job.descriptors))
                if self._pid == 0:
                    _run_child(self._job, streams)
        finally:
            os.close(worker_in)
            os.close(worker_out)

    def join_holder(self) -> None:
        """Have the worker begin, in the namespaces of the holder, which runs now."""
        with contextlib.suppress(BrokenPipeError):  # it was killed, as the missing replies tell
            os.write(self._command.fileno(), b"\n")

    def end(self) -> None:
        """Close the pipes, so that it stops, also waiting for locks, and wait for it."""
        self._undo.close()
        if self._pid:
            os.waitpid(self._pid, 0)
            self._pid = 0

    def last_error_line(self) -> str:
        """Return the last line that a worker without a reply has written to its error output."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip().rpartition("\n")[2]


def _run_child(job: BuildJob, streams: tuple[int, int, int]) -> NoReturn:
    """Be the worker: import what it needs, wait for the holder, build there, and exit."""
    try:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        os.chdir("/")
        forks.set_title(TITLE)
        for descriptor, stream in zip(streams, STANDARD_STREAMS, strict=True):
            os.dup2(descriptor, stream)
            os.close(descriptor)
        # A display of the command may be writing to the old one.
        sys.stderr = os.fdopen(2, "w", errors="replace", closefd=False)
        os.environ["PATH"] = process.search_path()
        from cntnr_compose.host.systemd import scope

        entry = scope.begin_entry(os.getpid())  # it ends with us anyway
        from cntnr_compose.builder.worker.main import run

        if os.read(0, 1):
            entry.finish()
            run(job)
    except BaseException:  # noqa: BLE001 - a fork must not go on with what its parent was doing
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(FAILED)


def _read_replies(replies: Iterable[bytes], emit: Emit) -> dict[str, BuiltImage] | None:
    """Read replies up to the result; None where the worker ended before."""
    for line in replies:
        match from_json(line, Reply):  # type: ignore[arg-type]
            case EventReply(event=event):
                emit(event)
            case ResultReply(result=result):
                return {service: from_tree(image, BuiltImage) for service, image in result.items()}
            case ErrorReply() as reply:
                raise RemoteError(reply.error, reply.message, reply.hint, reply.exit_code)
    return None
