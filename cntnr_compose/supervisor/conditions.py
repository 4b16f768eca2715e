"""Whether the containers of a service meet what others wait for: yes, not yet, or never."""

from collections.abc import Sequence
from typing import Literal

from cntnr_compose.containers.state.healthcheck import probe_of
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds, Value
from cntnr_compose.model.observed import Container

State = Literal["met", "waiting", "failed"]
ENDED = frozenset({"exited", "dead", "removing"})
STEADY: Seconds = 0.5  # what has no health check counts as running when it has for so long


class Verdict(Value, frozen=True, kw_only=True):
    """The answer; ``text`` is the error, or the warning where the dependency is not required."""

    state: State
    text: str = ""


class DependencyFailed(CntnrError):
    """What others wait for cannot come to be any more."""


class NotHealthyInTime(CntnrError):
    """``--wait-timeout`` is over."""

    def __init__(self, timeout: Seconds) -> None:
        super().__init__(f"application not healthy after {timeout:g}s")


MET = Verdict(state="met")
WAITING = Verdict(state="waiting")


def judge(
    service: str,
    condition: str,
    containers: Sequence[Container],
    *,
    required: bool = True,
    dependent: str = "",
    now: Seconds = float("inf"),
) -> Verdict:
    """Judge a condition: a word of depends_on, or ``running_or_healthy``.

    ``now`` is compared with the time at which containers were started. ``containers`` are those of the
    dependency ``service`` that exist; where there is none, ``dependent`` is named as the one that misses
    them.
    """
    if not containers:
        misses = dependent or "the project"
        return Verdict(state="failed", text=f"{misses} is missing dependency {service}")
    match condition:
        case "service_completed_successfully":
            return _completed(service, containers, required=required)
        case "service_healthy":
            optional = f'optional dependency "{service}" failed to start: '
            return _healthy(containers, "dependency failed to start: " if required else optional)
        case "running_or_healthy":
            optional = f'optional dependency "{service}" is not running or is unhealthy: '
            return _healthy(containers, "" if required else optional, since=now - STEADY)
        case _:
            return _started(containers)


def _started(containers: Sequence[Container]) -> Verdict:
    return WAITING if any(one.status.state == "created" for one in containers) else MET


def _completed(service: str, containers: Sequence[Container], *, required: bool) -> Verdict:
    ended = [one.status.exit_code for one in containers if one.status.state in ENDED]
    wrong = next((code for code in ended if code), 0)
    if wrong:
        what = f'"{service}" didn\'t complete successfully: exit {wrong}'
        kind = "service" if required else "optional dependency"
        return Verdict(state="failed", text=f"{kind} {what}")
    return MET if len(ended) == len(containers) else WAITING


def _healthy(
    containers: Sequence[Container], before: str, *, since: Seconds | None = None
) -> Verdict:
    """Judge health; where there is no check, running ``since`` then will do, if that is given."""
    waiting = False
    for one in containers:
        status = one.status
        why = ""
        if status.state in ENDED:
            why = f"container {one.name} exited ({status.exit_code})"
        elif probe_of(one.record) is None:
            if since is None:
                why = f"container {one.name} has no healthcheck configured"
            elif status.state != "running" or status.started > since:
                waiting = True
        elif status.health == "unhealthy":
            why = f"container {one.name} is unhealthy"
        else:
            waiting = waiting or status.health != "healthy"
        if why:
            return Verdict(state="failed", text=before + why)
    return WAITING if waiting else MET
