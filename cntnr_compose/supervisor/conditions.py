"""Whether the containers of a service meet what others wait for: yes, not yet, or never."""

from collections.abc import Sequence
from typing import Literal

from cntnr_compose.containers.state.healthcheck import probe_settings
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds, Value
from cntnr_compose.model.observed import Container

ConditionState = Literal["met", "waiting", "failed"]
ENDED_STATES = frozenset({"exited", "dead", "removing"})
STABLE_AFTER: Seconds = 0.5  # what has no health check counts as running when it has for so long


class ConditionVerdict(Value, frozen=True, kw_only=True):
    """The answer; ``text`` is the error, or the warning where the dependency is not required."""

    state: ConditionState
    text: str = ""


class DependencyFailed(CntnrError):
    """What others wait for cannot come to be any more."""


class NotHealthyInTime(CntnrError):
    """``--wait-timeout`` is over."""

    def __init__(self, timeout: Seconds) -> None:
        super().__init__(f"application not healthy after {timeout:g}s")


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
    """Judge a condition: a word of depends_on, or ``running_or_healthy``.

    ``now`` is compared with the time at which containers were started. ``containers`` are those of the
    dependency ``service`` that exist; where there is none, ``dependent`` is named as the one that misses
    them.
    """
    if not containers:
        misses = dependent or "the project"
        return ConditionVerdict(state="failed", text=f"{misses} is missing dependency {service}")
    match condition:
        case "service_completed_successfully":
            return _check_completed(service, containers, required=required)
        case "service_healthy":
            optional = f'optional dependency "{service}" failed to start: '
            return _check_healthy(
                containers, "dependency failed to start: " if required else optional
            )
        case "running_or_healthy":
            optional = f'optional dependency "{service}" is not running or is unhealthy: '
            return _check_healthy(
                containers, "" if required else optional, since=now - STABLE_AFTER
            )
        case _:
            return _check_started(containers)


def _check_started(containers: Sequence[Container]) -> ConditionVerdict:
    return WAITING if any(one.status.state == "created" for one in containers) else MET


def _check_completed(
    service: str, containers: Sequence[Container], *, required: bool
) -> ConditionVerdict:
    ended = [one.status.exit_code for one in containers if one.status.state in ENDED_STATES]
    wrong = next((code for code in ended if code), 0)
    if wrong:
        what = f'"{service}" didn\'t complete successfully: exit {wrong}'
        kind = "service" if required else "optional dependency"
        return ConditionVerdict(state="failed", text=f"{kind} {what}")
    return MET if len(ended) == len(containers) else WAITING


def _check_healthy(
    containers: Sequence[Container], before: str, *, since: Seconds | None = None
) -> ConditionVerdict:
    """Judge health; where there is no check, running ``since`` then will do, if that is given."""
    waiting = False
    for one in containers:
        status = one.status
        why = ""
        if status.state in ENDED_STATES:
            why = f"container {one.name} exited ({status.exit_code})"
        elif probe_settings(one.record) is None:
            if since is None:
                why = f"container {one.name} has no healthcheck configured"
            elif status.state != "running" or status.started > since:
                waiting = True
        elif status.health == "unhealthy":
            why = f"container {one.name} is unhealthy"
        else:
            waiting = waiting or status.health != "healthy"
        if why:
            return ConditionVerdict(state="failed", text=before + why)
    return WAITING if waiting else MET
