"""One container of its own, joined to our terminal: from `run`'s plans to its exit code."""

import contextlib
import sys
import time
from typing import TYPE_CHECKING

from cntnr_compose.adapters import holder
from cntnr_compose.cli.turn import Turn
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds
from cntnr_compose.engine import client as clients
from cntnr_compose.engine import records
from cntnr_compose.engine.attach import Attachment, Relay
from cntnr_compose.plan.operations import KillContainer, Plan, Step

if TYPE_CHECKING:
    from cntnr_compose.cli.runasked import RunAsked
    from cntnr_compose.engine.client import Client
    from cntnr_compose.model.observed import Record
    from cntnr_compose.model.project import Project
    from cntnr_compose.plan.oneoff import OneOff

LOOK_EVERY: Seconds = 0.005
PATIENCE: Seconds = 2  # with a supervisor that does not write down the end: it may be gone


class Vanished(CntnrError):
    """A container was removed by somebody else while we were attached to it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"cannot tell how container {name} ended: it was removed")


def set_up(mine: Turn, one: "OneOff", asked: "RunAsked", project: "Project") -> None:
    """Make the container and all that it needs; of one that cannot be, nothing stays with --rm."""
    try:
        mine.execute(one.before, project)
    except CntnrError:
        if asked.rm and mine.client is not None:
            with contextlib.suppress(CntnrError):  # the first error is the one to tell
                mine.client.execute(one.removal)
        raise


def start(mine: Turn, one: "OneOff") -> str:
    """Start the container, stay away from it, and give its id."""
    mine.execute(one.start)
    return _record(mine, one.name).id


def start_and_join(mine: Turn, one: "OneOff", asked: "RunAsked") -> int:
    """Start the container, be its terminal until it ends, and give its exit code.

    With the keys that detach it goes on, and the code is 0. Raises what the start raises.
    """
    client = mine.client
    assert client is not None
    record = _record(mine, one.name)
    with contextlib.ExitStack() as undo:
        if asked.rm:
            undo.callback(_remove, client, one)
        bundle = holder.outside(paths.bundle(record.id))
        if bundle is None:
            raise Vanished(record.name)
        attachment = Attachment(bundle, record.name)
        undo.callback(attachment.close)
        client.execute(one.start)
        client.end()
        relay = Relay(
            attachment,
            stdin=sys.stdin.fileno() if asked.interactive else None,
            tty=asked.has_terminal,
            on_signal=lambda name: _pass_on(client, record.name, name),
        )
        if relay.run():
            undo.pop_all()  # detached: it goes on, and is not removed
            return 0
        return _exit_code(record)


def _record(mine: Turn, name: str) -> "Record":
    for one in records.read_all(mine.observed.project):
        if one.record.name == name:
            return one.record
    raise Vanished(name)


def _pass_on(client: "Client", name: str, signal: str) -> None:
    step = Step(number=1, operation=KillContainer(name=name, signal=signal))
    with contextlib.suppress(CntnrError):  # it has just ended
        client.execute(Plan(steps=(step,)))


def _exit_code(record: "Record") -> int:
    """Wait until the supervisor has written down how the container ended."""
    end = time.monotonic() + PATIENCE
    while True:
        status = records.read_status(record)
        if status.state in ("exited", "dead"):
            return status.exit_code
        if not (paths.container(record.project, record.id) / "record.json").exists():
            raise Vanished(record.name)
        if time.monotonic() > end:
            with clients.connect(record.project) as another:  # takes over what a dead one left
                another.observe()
            end = time.monotonic() + PATIENCE
        time.sleep(LOOK_EVERY)


def _remove(client: "Client", one: "OneOff") -> None:
    client.execute(one.removal)
