"""What others wait for: met, not yet, never; with docker compose's words."""

import pytest

from cntnr_compose.model.observed import Container, Record, Status
from cntnr_compose.model.service import Healthcheck
from cntnr_compose.supervisor.conditions import MET, WAITING, NotHealthyInTime, check_condition
from tests.unit.reconcile.world import service

CHECK = Healthcheck(test=("CMD", "true"))


def container(number=1, *, check: Healthcheck | None = CHECK, **status) -> Container:
    record = Record(
        id=f"id{number}",
        name=f"p-db-{number}",
        project="p",
        service="db",
        number=number,
        definition=service("db", healthcheck=check),
    )
    return Container(record=record, status=Status(**status))


RUNNING = container(state="running", health="starting")
HEALTHY = container(state="running", health="healthy")
SICK = container(2, state="running", health="unhealthy")
BARE = container(3, check=None, state="running")
DONE = container(state="exited")
FAILED = container(2, state="exited", exit_code=3)
DONE_JOB = container(check=None, state="exited")
FAILED_JOB = container(4, check=None, state="exited", exit_code=3)


@pytest.mark.parametrize(
    ("condition", "containers", "expected"),
    [
        ("service_started", [container(state="created")], WAITING),
        ("service_started", [RUNNING], MET),
        ("service_started", [DONE], MET),
        ("service_healthy", [container(state="created")], WAITING),
        ("service_healthy", [HEALTHY, RUNNING], WAITING),
        ("service_healthy", [HEALTHY, HEALTHY], MET),
        ("service_healthy", [container(state="restarting", exit_code=1)], WAITING),
        ("service_completed_successfully", [RUNNING], WAITING),
        ("service_completed_successfully", [DONE, RUNNING], WAITING),
        ("service_completed_successfully", [DONE, DONE], MET),
        ("service_completed_successfully", [container(state="restarting", exit_code=1)], WAITING),
        ("running_or_healthy", [BARE, HEALTHY], MET),
        ("running_or_healthy", [BARE, RUNNING], WAITING),
        ("running_or_healthy", [container(check=None, state="created")], WAITING),
        ("running_or_healthy", [DONE_JOB, BARE], MET),
    ],
)
def test_a_condition_is_met_or_not_yet(condition, containers, expected) -> None:
    assert check_condition("db", condition, containers) == expected


def test_what_has_just_been_started_may_still_fail() -> None:
    new = container(check=None, state="running", started=100.0)
    assert check_condition("db", "running_or_healthy", [new], now=100.4) == WAITING
    assert check_condition("db", "running_or_healthy", [new], now=100.5) == MET
    assert check_condition("db", "service_started", [new], now=100.0) == MET


@pytest.mark.parametrize(
    ("condition", "containers", "text"),
    [
        ("service_healthy", [SICK], "dependency failed to start: container p-db-2 is unhealthy"),
        ("service_healthy", [FAILED], "dependency failed to start: container p-db-2 exited (3)"),
        (
            "service_healthy",
            [BARE],
            "dependency failed to start: container p-db-3 has no healthcheck configured",
        ),
        (
            "service_completed_successfully",
            [RUNNING, FAILED],
            'service "db" didn\'t complete successfully: exit 3',
        ),
        ("running_or_healthy", [SICK], "container p-db-2 is unhealthy"),
        ("running_or_healthy", [DONE], "container p-db-1 exited (0)"),
        ("running_or_healthy", [BARE, FAILED_JOB], "container p-db-4 exited (3)"),
        ("service_healthy", [], "web is missing dependency db"),
    ],
)
def test_a_condition_that_cannot_be_met_any_more_says_why(condition, containers, text) -> None:
    verdict = check_condition("db", condition, containers, dependent="web")
    assert (verdict.state, verdict.text) == ("failed", text)


@pytest.mark.parametrize(
    ("condition", "containers", "text"),
    [
        (
            "service_healthy",
            [SICK],
            'optional dependency "db" failed to start: container p-db-2 is unhealthy',
        ),
        (
            "running_or_healthy",
            [SICK],
            'optional dependency "db" is not running or is unhealthy: container p-db-2 is unhealthy',
        ),
        (
            "service_completed_successfully",
            [FAILED],
            'optional dependency "db" didn\'t complete successfully: exit 3',
        ),
    ],
)
def test_what_is_not_required_is_worded_as_a_warning(condition, containers, text) -> None:
    assert check_condition("db", condition, containers, required=False).text == text


def test_a_wait_that_took_too_long_says_how_long() -> None:
    assert str(NotHealthyInTime(30)) == "application not healthy after 30s"
