"""Start the worker process inside the namespaces, send it a job, and read its replies."""

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple

from cntnr_compose.builder.request import BuildJob, BuildRequest, BuiltImage
from cntnr_compose.core.errors import CntnrError, RemoteError
from cntnr_compose.core.events import Emit
from cntnr_compose.core.uninterruptible import uninterruptible
from cntnr_compose.core.values import from_json, from_tree, to_json
from cntnr_compose.host import process
from cntnr_compose.host.namespaces import rootlesskit
from cntnr_compose.host.namespaces.holder import nsenter_argv
from cntnr_compose.model.protocol import ErrorReply, EventReply, Reply, ResultReply

WORKER_SCRIPT = "from cntnr_compose.builder.worker.main import main; main()"


class BuilderGone(CntnrError):
    """The worker ended without a reply."""

    def __init__(self, stderr: str) -> None:
        super().__init__(f"the builder ended unexpectedly: {stderr or 'it was killed'}")


class _Worker(NamedTuple):
    process: process.RunningProgram
    jobs: IO[bytes]
    replies: IO[bytes]
    errors: IO[bytes]


def run_worker(
    requests: tuple[BuildRequest, ...], *, terminal: int = -1, emit: Emit
) -> dict[str, BuiltImage]:
    """Build images in a worker; return them by service.

    Where a RUN fails there is a shell on ``terminal``. Raises `RemoteError`, `BuilderGone`.
    """
    with rootlesskit.temporary_holder("build") as holder:
        # On the host's network: a process that has left it cannot go back, and steps may need it.
        argv = nsenter_argv(holder, [sys.executable, "-P", "-c", WORKER_SCRIPT], network=False)
        passed = [export.descriptor for request in requests for export in request.exports]
        passed += [terminal] if terminal >= 0 else []
        with _start_worker(argv, passed) as worker:
            job = BuildJob(requests=requests, payload=holder.payload, terminal=terminal)
            worker.jobs.write(to_json(job) + b"\n")
            worker.jobs.flush()
            images = _read_replies(worker.replies, emit)
            if images is None:
                worker.process.wait()
                worker.errors.seek(0)
                stderr = worker.errors.read().decode(errors="replace")
                raise BuilderGone(stderr.strip().rpartition("\n")[2])
            return images


@contextlib.contextmanager
def _start_worker(argv: list[str], passed: list[int]) -> Iterator[_Worker]:
    """Start a worker; at the end close its pipes, so that it stops, and wait for it."""
    with contextlib.ExitStack() as undo:
        worker_in, jobs_end = os.pipe()
        jobs = undo.enter_context(os.fdopen(jobs_end, "wb"))
        replies_end, worker_out = os.pipe()
        replies = undo.enter_context(os.fdopen(replies_end, "rb"))
        errors = undo.enter_context(os.fdopen(os.memfd_create("builder"), "w+b"))
        env = {**os.environ, "PATH": process.search_path()}
        with uninterruptible():
            try:
                running = process.popen(
                    argv, env=env, stdin=worker_in, stdout=worker_out, stderr=errors.fileno(),
                    pass_fds=passed, new_session=True, cwd="/",
                )  # fmt: skip
            finally:
                os.close(worker_in)
                os.close(worker_out)
            undo.callback(running.wait)
            # Closed before the wait: the worker notices that this command ends, and stops waiting for locks.
            undo.callback(replies.close)
            undo.callback(jobs.close)
        yield _Worker(running, jobs, replies, errors)


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
