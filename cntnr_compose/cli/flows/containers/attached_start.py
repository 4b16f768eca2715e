"""Start a container that exists, connected to its streams from before its program runs."""

import contextlib
import sys
import time

from cntnr_compose.cli.display.progress import ProgressDisplay
from cntnr_compose.cli.flows.containers import attachment
from cntnr_compose.cli.flows.containers.changes import connect_for_change
from cntnr_compose.cli.flows.containers.readiness import Readiness
from cntnr_compose.core.errors import RemoteError
from cntnr_compose.model.observed import Container
from cntnr_compose.model.plan import Operation, Plan, PrepareContainer, StartContainer, Step


def start_attached(container: Container, options: attachment.AttachOptions) -> int:
    """Start a container and relay its streams until it ends; return its exit code, 0 where keys detach.

    To one that runs already we are connected as by `attach`. Raises the errors of the start, and those of
    `attachment`.
    """
    attachment.check_terminal(container, options)
    start = time.time()
    with contextlib.ExitStack() as undo:
        emit = ProgressDisplay(sys.stderr).emit
        with connect_for_change(container.record.project, "start", emit) as client:
            try:
                client.execute(_plan(PrepareContainer(name=container.name)), emit=emit)
                connection = undo.enter_context(
                    contextlib.closing(attachment.open_connection(container))
                )
                readiness = undo.enter_context(Readiness(container.record, emit))
                client.execute(_plan(StartContainer(name=container.name)), emit=emit)
                readiness.note_start()
            except RemoteError as error:
                error.exit_code = (
                    1  # as of docker: only `run` exits as a program that cannot be run
                )
                raise
        if attachment.relay_streams(container, connection, options):
            return 0
    return attachment.wait_for_exit_code(container, start)


def _plan(operation: Operation) -> Plan:
    return Plan(steps=(Step(number=1, operation=operation),))
