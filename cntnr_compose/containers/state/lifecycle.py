"""One container's life: its states, how it is stopped, and whether it is started again."""

from cntnr_compose.core.values import Seconds, Value
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import RestartPolicy, Service

GRACE: Seconds = 10
SIGNAL = "SIGTERM"

FIRST_DELAY: Seconds = 0.1
LONGEST_DELAY: Seconds = 60
LONG_ENOUGH: Seconds = 10  # a container that ran so long starts over with the first delay

# State and what happens to the state after it; a pair that is not listed is a bug.
NEXT = {
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


class Retry(Value, frozen=True, kw_only=True):
    """A restart that is due."""

    delay: Seconds  # to wait before it
    attempt: int  # counted against the policy's limit


def after(state: str, event: str) -> str:
    """Give the state that follows."""
    return NEXT[state, event]


def next_restart(
    policy: RestartPolicy,
    *,
    exit_code: int,
    ran: Seconds,
    before: Retry | None = None,
    stopped_by_user: bool = False,
) -> Retry | None:
    """Decide whether a container that ended is started again, and when; None: it stays ended.

    ``before`` is the restart that led to the run which ended now. A delay of the policy's own
    (deploy.restart_policy) stands in for the growing one; a run of at least its window proves that the
    restart worked, so that attempts count from one again.
    """
    if stopped_by_user or policy.condition == "no":
        return None
    if policy.condition == "on-failure" and exit_code == 0:
        return None
    attempt = before.attempt + 1 if before else 1
    if policy.window and ran >= policy.window:
        attempt = 1
    if policy.max_attempts and attempt > policy.max_attempts:
        return None
    if policy.delay:
        return Retry(delay=policy.delay, attempt=attempt)
    doubled = before.delay * 2 if before and ran < LONG_ENOUGH else FIRST_DELAY
    return Retry(delay=min(doubled, LONGEST_DELAY), attempt=attempt)


def stop_signal(service: Service, image: ImageConfig) -> str:
    """Name the signal that asks a container to end."""
    return service.stop_signal or image.stop_signal or SIGNAL


def stop_grace(service: Service, asked: Seconds | None = None) -> Seconds:
    """Tell how long a container has to end by itself; what the command asks for comes first."""
    if asked is not None:
        return asked
    return GRACE if service.stop_grace_period is None else service.stop_grace_period
