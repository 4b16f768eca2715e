"""Unpack the layers of an image while its blobs still arrive, by a process that is started inside the holder.

What cannot be unpacked is left to `ensure_unpacked`, which reports why.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.uninterruptible import uninterruptible
from cntnr_compose.core.values import replace, to_json
from cntnr_compose.host import process
from cntnr_compose.host.namespaces import rootlesskit
from cntnr_compose.images.layers.job import WORKER_SCRIPT, UnpackJob

ALL_THERE = b"\n"


@contextlib.contextmanager
def unpacking_early(job: UnpackJob) -> Iterator[None]:
    """Unpack layers while the block fetches them, and the rest after it; stop where the block fails."""
    with contextlib.ExitStack() as undo:
        paths.make_data_folder(paths.layers())
        running = None
        with contextlib.suppress(CntnrError):  # who starts the container meets that error, too
            holder = undo.enter_context(
                rootlesskit.temporary_holder(f"unpack{threading.get_native_id()}")
            )
            argv = [sys.executable, "-P", "-c", WORKER_SCRIPT]
            running = _Worker(holder.nsenter_argv(argv), job)
        if running is None:
            yield
            return
        undo.callback(running.close)
        yield
        running.finish()


class _Worker:
    """The process that unpacks. It ends, and cleans up, when its input is closed before `finish`."""

    def __init__(self, argv: list[str], job: UnpackJob) -> None:
        reader, writer = os.pipe()
        with Path(os.devnull).open("r+b") as null, uninterruptible():
            try:
                self._process = process.popen(
                    argv, env={**os.environ, "PATH": process.search_path()}, stdin=reader,
                    stdout=null.fileno(), stderr=null.fileno(), new_session=True, cwd="/",
                )  # fmt: skip
            finally:
                os.close(reader)
        self._input = os.fdopen(writer, "wb", buffering=0)
        self._send(to_json(replace(job, is_arriving=True)) + b"\n")

    def _send(self, content: bytes) -> None:
        with contextlib.suppress(OSError):  # it has ended already
            self._input.write(content)

    def finish(self) -> None:
        """Tell that all blobs are there, and wait until they are unpacked."""
        self._send(ALL_THERE)
        self._process.wait()

    def close(self) -> None:
        """Have it end, unless it has finished, and wait for that."""
        self._input.close()
        self._process.wait()
