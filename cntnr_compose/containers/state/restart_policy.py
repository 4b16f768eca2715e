"""Restart policy: whether and when a container that ended is started again."""

from cntnr_compose.core.values import Seconds, Value
from cntnr_compose.model.service import RestartPolicy

FIRST_DELAY: Seconds = 0.1
MAX_DELAY: Seconds = 60
BACKOFF_RESET_AFTER: Seconds = 10  # after a run of this length delays start over with the first


class PendingRestart(Value, frozen=True, kw_only=True):
    """An automatic start that is due."""

    delay: Seconds  # to wait before it
    attempt: int  # counted against the policy's limit


def next_restart(
    policy: RestartPolicy,
    *,
    exit_code: int,
    run_time: Seconds,
    previous: PendingRestart | None = None,
    stopped_by_user: bool = False,
) -> PendingRestart | None:
    """Decide whether a container that ended is started again, and when; None: it stays ended.

    ``previous`` is the restart that led to the run which ended now. A delay of the policy's own
    (deploy.restart_policy) replaces the growing one; a run of at least its window proves that the restart
    worked, so that attempts count from one again.
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


def explain_decision(
    policy: RestartPolicy, restart: PendingRestart | None, *, exit_code: int, stopped_by_user: bool
) -> str:
    """Say in words what `next_restart` decided, and why."""
    if restart is not None:
        return (
            f"restarts in {restart.delay:g} s, attempt {restart.attempt}; policy {policy.condition}"
        )
    if stopped_by_user:
        return "stays ended, since a command ended it"
    if policy.condition == "no":
        return "stays ended: it has no restart policy"
    if policy.condition == "on-failure" and exit_code == 0:
        return "stays ended: its restart policy is on-failure"
    return f"stays ended after {policy.max_attempts} attempts; policy {policy.condition}"
