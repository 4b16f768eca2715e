"""Explain why containers are not what others wait for, or were not started at all."""

import contextlib
import time
from collections.abc import Iterable

from cntnr_compose.containers.logs.lines import LogRange
from cntnr_compose.containers.logs.program_output import TAIL_LINES, OutputTail
from cntnr_compose.containers.logs.reader import LogFile
from cntnr_compose.containers.state import history
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core import paths
from cntnr_compose.core.values import Seconds
from cntnr_compose.model.observed import Container, Record, Status
from cntnr_compose.model.plan import CreateContainer, Plan, StartContainer
from cntnr_compose.supervisor.conditions import ENDED_STATES


def explain(containers: Iterable[Container]) -> str:
    """Return what is known of the first container that has ended with an error, or is not healthy."""
    for container in containers:
        status = container.status
        if status.state in ENDED_STATES and status.exit_code:
            output = _last_output(container.record, since=int(status.started * 1e9))
            return f"{container.name} wrote last: {output}" if output else ""
        if status.health not in ("", "healthy") and status.probes:
            return f"{container.name}: {_describe_probe(status)}"
    return ""


def note_unstarted(
    plan: Plan, context: ProjectContext, error: BaseException, *, since: Seconds
) -> None:
    """Add to the history of services that a plan, begun at ``since``, did not start for an error."""
    for step in plan.steps:
        operation = step.operation
        if isinstance(operation, CreateContainer) and not operation.oneoff:
            _note_uncreated(operation, context, error)
        if not isinstance(operation, StartContainer):
            continue
        container = context.containers.get(operation.name)
        if container is not None and container.status.started < since:
            entries = history.read_entries(context.project, container.record.service)
            if not (entries and entries[-1].cause == str(error)):  # else its own start failed
                context.note(container.record, "not_started", cause=str(error))


def _note_uncreated(
    operation: CreateContainer, context: ProjectContext, error: BaseException
) -> None:
    if operation.name in context.containers:
        return
    entry = history.PastEvent(
        time=time.time(),
        action="not_started",
        container=operation.name,
        number=operation.number,
        cause=str(error),
        command=context.command,
    )
    history.add_entry(context.project, operation.service.name, entry)


def _describe_probe(status: Status) -> str:
    probe = status.probes[-1]
    tail = OutputTail()
    tail.feed(probe.output.encode())
    if probe.exit_code < 0:  # its output says that it took too long
        return f"the last check did not end: {tail.text}"
    how = f"the last check exited with code {probe.exit_code}"
    return f"{how}: {tail.text}" if tail.text else how


def _last_output(record: Record, *, since: int) -> str:
    """Return the end of what a container wrote since its start, in nanoseconds since the epoch."""
    tail = OutputTail()
    path = paths.container_log(record.project, record.id)
    with contextlib.closing(LogFile(path, record.id)) as log:
        for line in log.read_history(LogRange(tail=TAIL_LINES, since=since)):
            tail.feed(line.text + b"\n")
    return tail.text
