"""Run a one-off container: create it, start it, relay the terminal, return its exit code."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from cntnr_compose.cli.project.session import ProjectSession
from cntnr_compose.client import client as clients
from cntnr_compose.client.attach import DETACH_KEYS, AttachConnection, TerminalRelay
from cntnr_compose.client.connection import SupervisorGone
from cntnr_compose.containers.state import records
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen
from cntnr_compose.core.values import Seconds
from cntnr_compose.host.namespaces.holder import proc_root_path
from cntnr_compose.model.plan import KillContainer, Plan, Step

if TYPE_CHECKING:
    from cntnr_compose.client.client import Client
    from cntnr_compose.model.observed import Record
    from cntnr_compose.model.project import Project
    from cntnr_compose.reconcile.one_off import OneOffPlan

POLL_INTERVAL: Seconds = 0.002
# After that the supervisor, which writes exit codes, may be dead.
EXIT_CODE_TIMEOUT: Seconds = 2


class Attachment(Frozen):
    """How a command is connected to the container that it runs, and whether that goes at its end."""

    rm: bool = False
    stdin: bool = False  # ours is the container's
    tty: bool = False
    detach_keys: bytes = DETACH_KEYS
    streams: tuple[int, ...] = (1, 2)  # whose output we get
    forwards_signals: bool = True
    note_start: Callable[[], None] | None = None  # called when the program was started


class Vanished(CntnrError):
    """A container was removed by somebody else while we were attached to it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"cannot tell how container {name} ended: it was removed")


def create_container(
    session: ProjectSession, plan: "OneOffPlan", *, rm: bool, project: "Project | None" = None
) -> None:
    """Create the container and all that it needs; remove it on failure with --rm."""
    with _remove_on_failure(session, plan, rm=rm):
        session.execute(plan.before, project)


def start_detached(session: ProjectSession, plan: "OneOffPlan", *, rm: bool) -> str:
    """Start the container and return its id."""
    with _remove_on_failure(session, plan, rm=rm):
        session.execute(plan.start)
    return plan.id


class AttachedContainer(NamedTuple):
    """A container that is set up, connected to before its program starts."""

    record: "Record"
    exit_file: int  # descriptor
    connection: AttachConnection

    def wait_for_exit_code(self) -> int:
        """Wait until the supervisor has written the exit code of the container."""
        return _wait_for_exit_code(self.record, self.exit_file)


def connect_to_created(
    session: ProjectSession, plan: "OneOffPlan", undo: contextlib.ExitStack, *, rm: bool
) -> AttachedContainer:
    """Connect to a container that was set up; ``undo`` disconnects, and removes it with ``rm``."""
    if rm:
        undo.callback(_remove, session, plan)
    record = records.read_record(session.observed.project, plan.id)
    if record is None:
        raise Vanished(plan.name)
    exit_file = undo.enter_context(_open_exit_file(record))
    bundle = proc_root_path(paths.bundle(record.id))
    if bundle is None:
        raise Vanished(record.name)
    connection = AttachConnection(bundle, record.name)
    undo.callback(connection.close)
    return AttachedContainer(record, exit_file, connection)


def run_attached(session: ProjectSession, plan: "OneOffPlan", attachment: Attachment) -> int:
    """Start the container, relay the terminal until it exits, and return its exit code.

    After the detach keys it goes on, and 0 is returned. Raises the errors of the start.
    """
    client = session.client
    assert client is not None
    with contextlib.ExitStack() as undo:
        container = connect_to_created(session, plan, undo, rm=attachment.rm)
        client.execute(plan.start)
        if attachment.note_start is not None:
            attachment.note_start()
        client.unlock()
        relay = TerminalRelay(
            container.connection,
            stdin=sys.stdin.fileno() if attachment.stdin else None,
            tty=attachment.tty,
            detach_keys=attachment.detach_keys,
            streams=attachment.streams,
            on_signal=(lambda name: forward_signal(client, plan.id, name))
            if attachment.forwards_signals
            else None,
        )
        try:
            is_detached = relay.run()
        except KeyboardInterrupt:
            if not attachment.forwards_signals:
                undo.pop_all()  # it was for us alone
            raise
        if is_detached:
            undo.pop_all()  # with --rm the supervisor removes it later
            return 0
        return container.wait_for_exit_code()


def forward_signal(client: "Client", identity: str, signal: str) -> None:
    """Send a signal to a container that may have ended."""
    step = Step(number=1, operation=KillContainer(name=identity, signal=signal))
    with contextlib.suppress(CntnrError):  # it has just exited
        client.execute(Plan(steps=(step,)))


@contextlib.contextmanager
def _open_exit_file(record: "Record") -> Iterator[int]:
    """Open the file with the exit code: with --rm it is removed together with the container."""
    try:
        descriptor = os.open(records.exit_file(record), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        raise Vanished(record.name) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _wait_for_exit_code(record: "Record", exit_file: int) -> int:
    """Wait until the supervisor has written the exit code of the container."""
    record_file = paths.container(record.project, record.id) / "record.json"
    end = time.monotonic() + EXIT_CODE_TIMEOUT
    while True:
        is_removed = not record_file.exists()  # checked first: the code is written before that
        code = os.pread(exit_file, 16, 0)
        if b"\n" in code:
            return int(code.partition(b"\n")[0])
        if is_removed:
            raise Vanished(record.name)
        if time.monotonic() > end:
            with clients.connect(record.project) as client:  # takes over from a dead supervisor
                client.observe()
            end = time.monotonic() + EXIT_CODE_TIMEOUT
        time.sleep(POLL_INTERVAL)


@contextlib.contextmanager
def _remove_on_failure(session: ProjectSession, plan: "OneOffPlan", *, rm: bool) -> Iterator[None]:
    try:
        yield
    except CntnrError:
        if rm:
            with contextlib.suppress(CntnrError):  # the first error is the one to print
                _remove(session, plan)
        raise


def _remove(session: ProjectSession, plan: "OneOffPlan") -> None:
    """Remove the container now: the supervisor does it after the exit, but may not be done yet."""
    assert session.client is not None
    try:
        session.client.execute(plan.removal)
    except SupervisorGone:
        with clients.connect(session.observed.project) as client:
            client.execute(plan.removal)
