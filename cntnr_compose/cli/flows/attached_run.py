"""One container of its own, joined to our terminal: from `run`'s plans to its exit code."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cntnr_compose.cli.project.session import ProjectSession
from cntnr_compose.client import client as clients
from cntnr_compose.client.attach import AttachConnection, TerminalRelay
from cntnr_compose.client.connection import SupervisorGone
from cntnr_compose.containers.state import records
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds
from cntnr_compose.host.namespaces import holder
from cntnr_compose.model.plan import KillContainer, Plan, Step

if TYPE_CHECKING:
    from cntnr_compose.cli.flows.run_arguments import RunArguments
    from cntnr_compose.client.client import Client
    from cntnr_compose.model.observed import Record
    from cntnr_compose.model.project import Project
    from cntnr_compose.reconcile.one_off import OneOffPlan

POLL_INTERVAL: Seconds = 0.005
EXIT_CODE_TIMEOUT: Seconds = 2  # with a supervisor that does not write down the end: it may be gone


class Vanished(CntnrError):
    """A container was removed by somebody else while we were attached to it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"cannot tell how container {name} ended: it was removed")


def create_container(
    mine: ProjectSession, one: "OneOffPlan", asked: "RunArguments", project: "Project"
) -> None:
    """Make the container and all that it needs; of one that cannot be, nothing stays with --rm."""
    with _removed_where_it_fails(mine, one, asked):
        mine.execute(one.before, project)


def start_detached(mine: ProjectSession, one: "OneOffPlan", asked: "RunArguments") -> str:
    """Start the container, stay away from it, and give its id."""
    record = _record(mine, one.name)  # it may be over, and removed, before we have our answer
    with _removed_where_it_fails(mine, one, asked):
        mine.execute(one.start)
    return record.id


def run_attached(mine: ProjectSession, one: "OneOffPlan", asked: "RunArguments") -> int:
    """Start the container, be its terminal until it ends, and give its exit code.

    With the keys that detach it goes on, and the code is 0. Raises what the start raises.
    """
    client = mine.client
    assert client is not None
    with contextlib.ExitStack() as undo:
        if asked.rm:
            undo.callback(_remove, mine, one)
        record = _record(mine, one.name)
        noted = undo.enter_context(_exit_file(record))
        bundle = holder.proc_root_path(paths.bundle(record.id))
        if bundle is None:
            raise Vanished(record.name)
        attachment = AttachConnection(bundle, record.name)
        undo.callback(attachment.close)
        client.execute(one.start)
        client.unlock()
        relay = TerminalRelay(
            attachment,
            stdin=sys.stdin.fileno() if asked.interactive else None,
            tty=asked.has_terminal,
            on_signal=lambda name: _pass_on(client, record.name, name),
        )
        if relay.run():
            undo.pop_all()  # detached: it goes on
            return 0
        return _exit_code(record, noted)


def _record(mine: ProjectSession, name: str) -> "Record":
    for one in records.read_containers(mine.observed.project):
        if one.record.name == name:
            return one.record
    raise Vanished(name)


def _pass_on(client: "Client", name: str, signal: str) -> None:
    step = Step(number=1, operation=KillContainer(name=name, signal=signal))
    with contextlib.suppress(CntnrError):  # it has just ended
        client.execute(Plan(steps=(step,)))


@contextlib.contextmanager
def _exit_file(record: "Record") -> Iterator[int]:
    """Open the file that the exit code is written to: with --rm it is soon nowhere else."""
    try:
        descriptor = os.open(records.exit_file(record), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        raise Vanished(record.name) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _exit_code(record: "Record", noted: int) -> int:
    """Wait until the supervisor has written down how the container ended."""
    made = paths.container(record.project, record.id) / "record.json"
    end = time.monotonic() + EXIT_CODE_TIMEOUT
    while True:
        is_gone = not made.exists()  # looked at first: the code is written before it goes
        code = os.pread(noted, 16, 0)
        if code.endswith(b"\n"):
            return int(code)
        if is_gone:
            raise Vanished(record.name)
        if time.monotonic() > end:
            with clients.connect(record.project) as another:  # takes over what a dead one left
                another.observe()
            end = time.monotonic() + EXIT_CODE_TIMEOUT
        time.sleep(POLL_INTERVAL)


@contextlib.contextmanager
def _removed_where_it_fails(
    mine: ProjectSession, one: "OneOffPlan", asked: "RunArguments"
) -> Iterator[None]:
    try:
        yield
    except CntnrError:
        if asked.rm:
            with contextlib.suppress(CntnrError):  # the first error is the one to tell
                _remove(mine, one)
        raise


def _remove(mine: ProjectSession, one: "OneOffPlan") -> None:
    """See that nothing is left: the supervisor removes what has ended, but may not be done yet."""
    assert mine.client is not None
    try:
        mine.client.execute(one.removal)
    except SupervisorGone:
        with clients.connect(mine.observed.project) as another:
            another.execute(one.removal)
