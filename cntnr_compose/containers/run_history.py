"""Add the end of a run to the history: how it ended, what ended it, and what the restart policy decided."""

import time
from typing import NamedTuple

from cntnr_compose.containers.state import restart_policy
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.containers.state.restart_policy import PendingRestart
from cntnr_compose.core import paths
from cntnr_compose.core.values import Seconds, Tree
from cntnr_compose.host import cgroups, files
from cntnr_compose.model.observed import Record, Status


class EndCause(NamedTuple):
    """What a command does to end a run."""

    what: str
    command: str
    until: Seconds  # when it counts no more, by the monotonic clock


def was_oom_killed(container_id: str) -> bool:
    """Check whether the kernel killed a process of a container that used its memory up."""
    spec = files.read_value(paths.bundle(container_id) / "config.json", Tree) or {}
    return cgroups.has_oom_kill(str(spec.get("linux", {}).get("cgroupsPath") or ""))


def note_end(
    context: ProjectContext,
    record: Record,
    status: Status,
    restart: PendingRestart | None,
    cause: EndCause | None,
) -> None:
    """Add the end of a run; ``status`` is that after it."""
    if cause is not None and cause.until < time.monotonic():
        cause = None
    decision = restart_policy.explain_decision(
        record.definition.restart,
        restart,
        exit_code=status.exit_code,
        stopped_by_user=status.stopped_by_user,
    )
    context.note(
        record,
        "exited",
        cause=cause.what if cause else "",
        command=cause.command if cause else "",
        exit_code=status.exit_code,
        oom_killed=status.oom_killed,
        run_time=round(status.finished - status.started, 3),
        decision=decision,
    )
