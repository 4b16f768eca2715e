"""Automatic restarts: whether, and after which delay."""

import pytest

from cntnr_compose.containers.state.restart_policy import PendingRestart, next_restart
from cntnr_compose.model.service import RestartPolicy

ALWAYS = RestartPolicy(condition="always")


def delays(policy, runs, *, exit_code=1):
    """Return the delay before each restart of a container, for the durations of its runs."""
    before, seconds = None, []
    for ran in runs:
        before = next_restart(policy, exit_code=exit_code, run_time=ran, previous=before)
        if before is None:
            break
        seconds.append(round(before.delay, 3))
    return seconds


@pytest.mark.parametrize(
    ("condition", "exit_code", "by_user", "again"),
    [
        ("no", 1, False, False),
        ("always", 0, False, True),
        ("always", 1, True, False),
        ("unless-stopped", 0, False, True),
        ("unless-stopped", 0, True, False),
        ("on-failure", 0, False, False),
        ("on-failure", 1, False, True),
        ("on-failure", 137, True, False),
    ],
)
def test_the_policy_decides_who_is_started_again(condition, exit_code, by_user, again) -> None:
    policy = RestartPolicy(condition=condition)
    restart = next_restart(policy, exit_code=exit_code, run_time=1, stopped_by_user=by_user)
    assert (restart is not None) == again


def test_delays_double_from_100_ms_to_a_minute() -> None:
    assert delays(ALWAYS, [0] * 12) == [
        0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60, 60
    ]  # fmt: skip


def test_a_run_of_ten_seconds_starts_the_delays_over() -> None:
    assert delays(ALWAYS, [0, 0, 10, 9.9]) == [0.1, 0.2, 0.1, 0.2]


def test_on_failure_gives_up_after_its_number_of_attempts() -> None:
    policy = RestartPolicy(condition="on-failure", max_attempts=2)
    assert delays(policy, [0, 20, 20, 20]) == [0.1, 0.1]


def test_a_delay_of_the_policy_stands_in_for_the_growing_one() -> None:
    policy = RestartPolicy(condition="on-failure", delay=5)
    assert delays(policy, [0, 0, 0]) == [5, 5, 5]


def test_a_run_as_long_as_the_window_is_a_success_and_attempts_count_anew() -> None:
    policy = RestartPolicy(condition="on-failure", max_attempts=1, delay=1, window=30)
    assert delays(policy, [0, 30, 30, 29, 30]) == [1, 1, 1]
    assert next_restart(
        policy, exit_code=1, run_time=30, previous=PendingRestart(delay=1, attempt=7)
    ) == PendingRestart(delay=1, attempt=1)
