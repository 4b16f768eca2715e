"""Steps of an `up`, and what they come after; a plan is compared as text."""

import pytest

from cntnr_compose.model.plan import CreateContainer, WaitFor, render_plan
from cntnr_compose.model.service import Dependency
from tests.unit.reconcile.world import (
    COMPLETED,
    HEALTHY,
    PAIR,
    SIDE,
    STACK,
    changed,
    expect,
    is_up,
    project,
    service,
    up,
    with_status,
)


def test_who_shares_a_namespace_is_set_up_after_its_owner() -> None:
    expect(
        up(SIDE),
        """\
        1 create network p_default: not found
        2 create container p-db-1: not found (after 1)
        3 prepare container p-db-1 (after 2)
        4 start container p-db-1: created by 2 (after 3)
        5 create container p-side-1: not found
        6 prepare container p-side-1 (after 3, 5)
        7 start container p-side-1: created by 5 (after 4, 6)
        """,
    )


def test_containers_are_made_as_the_project_says() -> None:
    creations = [
        step.operation for step in up(PAIR).steps if isinstance(step.operation, CreateContainer)
    ]
    assert [(one.name, one.image, one.number) for one in creations] == [
        ("p-db-1", "db", 1),
        ("p-web-1", "web", 1),
    ]
    assert creations[0].labels["com.docker.compose.image"] == "sha256:db"
    assert creations[0].labels["com.docker.compose.config-hash"] == creations[0].config_hash


def test_a_replaced_container_is_named_by_id_and_stopped_in_the_time_that_was_asked_for() -> None:
    plan = up(changed(PAIR, "web"), is_up(PAIR), timeout=3)
    creation = plan.steps[0].operation
    assert (creation.replaces, creation.grace) == ("id6", 3)
    assert creation.labels["com.docker.compose.replace"] == "id6"


def test_stopped_containers_are_started_with_what_they_wait_for() -> None:
    observed = with_status(is_up(STACK), "p-job-1", state="exited", exit_code=0)
    expect(
        up(STACK, observed),
        """\
        1 prepare container p-job-1
        2 wait for db: healthy: job depends on it
        3 start container p-job-1: exited (0) (after 1, 2)
        4 wait for job: completed_successfully: api depends on it (after 3)
        """,
    )


def test_no_start_only_makes() -> None:
    expect(
        up(PAIR, start=False),
        """\
        1 create network p_default: not found
        2 create volume p_data: not found
        3 create container p-db-1: not found (after 1, 2)
        4 create container p-web-1: not found (after 1)
        """,
    )
    again = up(PAIR, is_up(PAIR, start=False), start=False)
    assert (again.steps, again.unchanged) == ((), ("p-web-1", "p-db-1"))


def test_what_was_made_and_never_started_is_started() -> None:
    expect(
        up(PAIR, is_up(PAIR, start=False)),
        """\
        1 prepare container p-db-1
        2 start container p-db-1: created (after 1)
        3 prepare container p-web-1
        4 start container p-web-1: created (after 2, 3)
        """,
    )


@pytest.mark.parametrize(
    ("needs", "wait"),
    [
        ({"db": HEALTHY}, "wait for db: healthy"),
        ({"db": COMPLETED}, "wait for db: completed_successfully"),
        ({"db": Dependency(condition="service_healthy", required=False)}, "wait for db: healthy"),
    ],
)
def test_conditions_become_waits(needs, wait) -> None:
    plan = up(project(service("web", needs), service("db")))
    waits = [one.operation for one in plan.steps if isinstance(one.operation, WaitFor)]
    assert [one.describe() for one in waits] == [wait]
    assert (waits[0].containers, waits[0].required) == (("p-db-1",), needs["db"].required)


def test_a_dependency_without_containers_is_not_waited_for() -> None:
    desired = project(service("web", {"db": HEALTHY}), service("db", replicas=0))
    expect(
        up(desired),
        """\
        1 create network p_default: not found
        2 create container p-web-1: not found (after 1)
        3 prepare container p-web-1 (after 2)
        4 start container p-web-1: created by 2 (after 3)
        """,
    )


def test_wait_checks_all_and_lets_jobs_end() -> None:
    plan = up(STACK, is_up(STACK), wait=True, wait_timeout=30)
    expect(
        plan,
        """\
        1 wait for web: running_or_healthy: --wait
        2 wait for api: running_or_healthy: --wait
        3 wait for job: completed_successfully: --wait
        4 wait for db: running_or_healthy: --wait
        """,
    )
    assert {one.operation.timeout for one in plan.steps} == {30}


def test_what_is_left_out_on_purpose_is_not_waited_for() -> None:
    desired = project(service("web", {"db": HEALTHY}), service("db"))
    assert "wait" not in render_plan(up(desired, selected=("web",), dependencies=False))


def test_who_borrows_by_name_is_prepared_when_what_it_depends_on_runs() -> None:
    pair = project(service("main"), service("side", {"main": HEALTHY}, pid="container:p-main-1"))
    assert render_plan(up(pair)).splitlines()[3:] == [
        "4 start container p-main-1: created by 2 (after 3)",
        "5 create container p-side-1: not found (after 1)",
        "6 wait for main: healthy: side depends on it (after 4)",
        "7 prepare container p-side-1 (after 5, 6)",
        "8 start container p-side-1: created by 5 (after 7)",
    ]
