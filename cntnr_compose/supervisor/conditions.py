"""Conditions of depends_on and `up --wait`: met, not yet, or not any more."""

from collections.abc import Sequence
from typing import Literal

from cntnr_compose.containers.state.healthcheck import probe_settings
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds, Value
from cntnr_compose.model.observed import Container

ConditionState = Literal["met", "waiting", "failed"]
ENDED_STATES = frozenset({"exited", "dead", "removing"})
STABLE_AFTER: Seconds = 0.5  # without a health check a container counts as up after this time


class ConditionVerdict(Value, frozen=True, kw_only=True):
    """Whether a condition is met; ``text`` is the error, or the warning where it is not required."""

    state: ConditionState
    text: str = ""


class DependencyFailed(CntnrError):
    """A condition that other containers wait for cannot be met any more."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.hint = reason


class NotHealthyInTime(CntnrError):
    """``--wait-timeout`` is over."""

    def __init__(self, timeout: Seconds, reason: str = "") -> None:
        super().__init__(f"application not healthy after {timeout:g}s")
        self.hint = reason


MET = ConditionVerdict(state="met")
WAITING = ConditionVerdict(state="waiting")


def check_condition(
    service: str,
    condition: str,
    containers: Sequence[Container],
    *,
    required: bool = True,
    dependent: str = "",
    now: Seconds = float("inf"),
) -> ConditionVerdict:
    """Check a condition of depends_on, or ``running_or_healthy``, on the containers of a service.

    ``now`` is compared with the start time of containers. Where the dependency ``service`` has no container,
    the error says that ``dependent`` is missing it.
    """
    if not containers:
        subject = dependent or "the project"
        return ConditionVerdict(state="failed", text=f"{subject} is missing dependency {service}")
    match condition:
        case "service_completed_successfully":
            return _check_completed(service, containers, required=required)
        case "service_healthy":
            optional = f'optional dependency "{service}" failed to start: '
            prefix = "dependency failed to start: " if required else optional
            return _check_healthy(containers, prefix)
        case "running_or_healthy":
            optional = f'optional dependency "{service}" is not running or is unhealthy: '
            prefix = "" if required else optional
            return _check_healthy(containers, prefix, since=now - STABLE_AFTER)
        case _:
            return _check_started(containers)


def _check_started(containers: Sequence[Container]) -> ConditionVerdict:
    return WAITING if any(one.status.state == "created" for one in containers) else MET


def _check_completed(
    service: str, containers: Sequence[Container], *, required: bool
) -> ConditionVerdict:
    ended = [one.status.exit_code for one in containers if one.status.state in ENDED_STATES]
    failed = next((code for code in ended if code), 0)
    if failed:
        what = f'"{service}" didn\'t complete successfully: exit {failed}'
        kind = "service" if required else "optional dependency"
        return ConditionVerdict(state="failed", text=f"{kind} {what}")
    return MET if len(ended) == len(containers) else WAITING


def _check_healthy(
    containers: Sequence[Container], prefix: str, *, since: Seconds | None = None
) -> ConditionVerdict:
    """Check health; with ``since``, containers without a health check must run since that time.

    A job, which has none, may have ended with 0 then, too: docker compose takes that for a failure.
    """
    is_waiting = False
    for container in containers:
        name, status = container.name, container.status
        reason = ""
        if status.state in ENDED_STATES:
            if since is None or status.exit_code or probe_settings(container.record) is not None:
                reason = f"container {name} exited ({status.exit_code})"
        elif probe_settings(container.record) is None:
            if since is None:
                reason = f"container {name} has no healthcheck configured"
            elif status.state != "running" or status.started > since:
                is_waiting = True
        elif status.health == "unhealthy":
            reason = f"container {name} is unhealthy"
        else:
            is_waiting = is_waiting or status.health != "healthy"
        if reason:
            return ConditionVerdict(state="failed", text=prefix + reason)
    return WAITING if is_waiting else MET
