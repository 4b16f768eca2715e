"""One container's life: its states, how it is stopped, and whether it is started again."""

from cntnr_compose.core.values import Seconds, Value
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import RestartPolicy, Service

DEFAULT_GRACE_PERIOD: Seconds = 10
DEFAULT_STOP_SIGNAL = "SIGTERM"

FIRST_DELAY: Seconds = 0.1
MAX_DELAY: Seconds = 60
BACKOFF_RESET_AFTER: Seconds = 10  # a container that ran so long starts over with the first delay

# State and what happens to the state after it; a pair that is not listed is a bug.
TRANSITIONS = {
    ("created", "start"): "running",
    ("created", "remove"): "removing",
    ("running", "exit"): "exited",
    ("running", "back off"): "restarting",
    ("running", "pause"): "paused",
    ("running", "remove"): "removing",
    ("paused", "unpause"): "running",
    ("paused", "exit"): "exited",
    ("paused", "back off"): "restarting",
    ("paused", "remove"): "removing",
    ("restarting", "start"): "running",
    ("restarting", "back off"): "restarting",
    ("restarting", "stop"): "exited",
    ("restarting", "exit"): "exited",
    ("restarting", "remove"): "removing",
    ("exited", "start"): "running",
    ("exited", "remove"): "removing",
    ("removing", "fail"): "dead",
    ("dead", "remove"): "removing",
}


class PendingRestart(Value, frozen=True, kw_only=True):
    """A restart that is due."""

    delay: Seconds  # to wait before it
    attempt: int  # counted against the policy's limit


def next_state(state: str, event: str) -> str:
    """Give the state that follows."""
    return TRANSITIONS[state, event]


def next_restart(
    policy: RestartPolicy,
    *,
    exit_code: int,
    run_time: Seconds,
    previous: PendingRestart | None = None,
    stopped_by_user: bool = False,
) -> PendingRestart | None:
    """Decide whether a container that ended is started again, and when; None: it stays ended.

    ``before`` is the restart that led to the run which ended now. A delay of the policy's own
    (deploy.restart_policy) stands in for the growing one; a run of at least its window proves that the
    restart worked, so that attempts count from one again.
    """
    if stopped_by_user or policy.condition == "no":
        return None
    if policy.condition == "on-failure" and exit_code == 0:
        return None
    attempt = previous.attempt + 1 if previous else 1
    if policy.window and run_time >= policy.window:
        attempt = 1
    if policy.max_attempts and attempt > policy.max_attempts:
        return None
    if policy.delay:
        return PendingRestart(delay=policy.delay, attempt=attempt)
    doubled = previous.delay * 2 if previous and run_time < BACKOFF_RESET_AFTER else FIRST_DELAY
    return PendingRestart(delay=min(doubled, MAX_DELAY), attempt=attempt)


def stop_signal(service: Service, image: ImageConfig) -> str:
    """Name the signal that asks a container to end."""
    return service.stop_signal or image.stop_signal or DEFAULT_STOP_SIGNAL


def grace_period(service: Service, requested: Seconds | None = None) -> Seconds:
    """Tell how long a container has to end by itself; what the command asks for comes first."""
    if requested is not None:
        return requested
    return DEFAULT_GRACE_PERIOD if service.stop_grace_period is None else service.stop_grace_period
