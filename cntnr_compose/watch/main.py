"""Process entry: watch for an attached `up`, and tell it by events what happens."""

import os
import select
import signal
import sys
from typing import NoReturn

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Event, Output, WarningEvent
from cntnr_compose.core.values import from_json, to_json
from cntnr_compose.watch.actions import WatchActions
from cntnr_compose.watch.process import SOURCE, WatchJob
from cntnr_compose.watch.session import WatchSession

INTERRUPTED = 130


class EventReporter:
    """Tell the other process by a line of JSON each."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def message(self, text: str) -> None:
        """Tell what is done."""
        self._write(Output(source=SOURCE, text=text))

    def output(self, text: str) -> None:
        """Tell a line of a build's output."""
        self._write(Output(source="", text=text))

    def warning(self, text: str) -> None:
        """Tell what went wrong."""
        self._write(WarningEvent(text=text))

    def _write(self, event: Event) -> None:
        block = to_json(event) + b"\n"
        while block:
            block = block[os.write(self._descriptor, block) :]


def main() -> NoReturn:
    """Read a job from standard input, and when to start; watch until that is closed or an interrupt comes."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    reporter = EventReporter(int(sys.argv[1]))
    code = 1
    try:
        job = from_json(sys.stdin.buffer.readline(), WatchJob)
        watch = create_session(job, reporter)
        if sys.stdin.buffer.readline():
            watch.run()
        code = 0
    except (KeyboardInterrupt, BrokenPipeError, ValueError):
        code = INTERRUPTED
    except CntnrError as error:
        reporter.warning(str(error))
    os._exit(code)


def create_session(job: WatchJob, reporter: EventReporter) -> WatchSession:
    """Look at the files, which are watched until standard input is closed."""
    actions = WatchActions(
        job.project, reporter, quiet=job.quiet, prune=job.prune, separator=job.separator
    )
    return WatchSession(job.project.select(job.services), actions, reporter, _is_stdin_closed)


def _is_stdin_closed() -> bool:
    return bool(select.select([0], [], [], 0)[0])
