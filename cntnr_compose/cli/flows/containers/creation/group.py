"""Run several containers as one group in the foreground: `cntnr run A … --- B …`."""

import contextlib
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.flows.attached_run import connect_to_created, forward_signal
from cntnr_compose.cli.flows.containers.creation.files import write_pid
from cntnr_compose.cli.flows.containers.creation.group_relay import GroupRelay

if TYPE_CHECKING:
    from cntnr_compose.cli.flows.attached_run import AttachedContainer
    from cntnr_compose.cli.project.session import ProjectSession
    from cntnr_compose.client.client import Client
    from cntnr_compose.reconcile.one_off import OneOffPlan


def run_group(
    session: "ProjectSession", plans: Sequence["OneOffPlan"], groups: Sequence[Mapping[str, Any]]
) -> int:
    """Start containers in their order, and relay until all have ended; return the first code that is not 0.

    Signals go to all. Where one cannot be started, those that were are killed. Raises the errors of that.
    """
    client = session.client
    assert client is not None
    with contextlib.ExitStack() as undo:
        containers = [
            connect_to_created(session, plan, undo, rm=flags["rm"])
            for plan, flags in zip(plans, groups, strict=True)
        ]
        with contextlib.ExitStack() as running:
            for plan, flags in zip(plans, groups, strict=True):
                client.execute(plan.start)
                running.callback(forward_signal, client, plan.id, "SIGKILL")
                write_pid(flags["pidfile"], plan.id)
            _relay(client, containers, [flags["interactive"] for flags in groups])
            running.pop_all()
        codes = [container.wait_for_exit_code() for container in containers]
    return next((code for code in codes if code), 0)


def _relay(
    client: "Client", containers: Sequence["AttachedContainer"], reads: Sequence[bool]
) -> None:
    def forward(number: int) -> None:
        for container in containers:
            forward_signal(client, container.record.id, signal.Signals(number).name)

    connections = [container.connection for container in containers]
    reader = connections[reads.index(True)] if True in reads else None
    stdin = sys.stdin.fileno() if reader is not None else -1
    GroupRelay(connections, reader=reader, stdin=stdin, on_signal=forward).run()
