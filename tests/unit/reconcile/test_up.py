"""What `up` does with what it finds; a plan is compared as text."""

from textwrap import dedent

import pytest

from cntnr_compose.core.errors import NoSuchService
from cntnr_compose.core.values import replace
from cntnr_compose.model.plan import CreateContainer, WaitFor, render_plan
from cntnr_compose.model.service import Dependency
from cntnr_compose.reconcile.up import DependencyDisabled, UpOptions, plan_up
from tests.unit.reconcile.world import (
    COMPLETED,
    DATA,
    HEALTHY,
    TIED,
    carried_out,
    nothing,
    project,
    service,
    with_status,
)

DB = service("db", volumes=(DATA,))
STACK = project(
    service("web", {"api": TIED, "db": HEALTHY}),
    service("api", {"db": HEALTHY, "job": COMPLETED}),
    service("job", {"db": HEALTHY}),
    DB,
)
PAIR = project(service("web", ["db"]), DB)


def up(wanted, found=None, **options):
    return plan_up(wanted, found or nothing(wanted), UpOptions(**options))


def is_up(wanted, **options):
    """Give the snapshot after an `up` of a project."""
    before = nothing(wanted)
    return carried_out(plan_up(wanted, before, UpOptions(**options)), wanted, before)


def changed(of, *names, **settings):
    """Give the project with something changed in the definition of services."""
    settings = settings or {"raw": {"image": "x", "tty": True}}
    services = {
        name: replace(one, **settings) if name in names else one
        for name, one in of.services.items()
    }
    return replace(of, services=services)


def text(plan) -> str:
    return render_plan(plan)


def expect(plan, wanted: str) -> None:
    assert render_plan(plan) == dedent(wanted)


def test_the_first_up_makes_everything_and_prepares_before_conditions_are_met() -> None:
    expect(
        up(STACK),
        """\
        1 create network p_default: not found
        2 create volume p_data: not found
        3 create container p-db-1: not found (after 1, 2)
        4 prepare container p-db-1 (after 3)
        5 start container p-db-1: created by 3 (after 4)
        6 create container p-job-1: not found (after 1)
        7 prepare container p-job-1 (after 6)
        8 wait for db: healthy: job depends on it (after 5)
        9 start container p-job-1: created by 6 (after 7, 8)
        10 create container p-api-1: not found (after 1)
        11 prepare container p-api-1 (after 10)
        12 wait for job: completed_successfully: api depends on it (after 9)
        13 start container p-api-1: created by 10 (after 11, 12)
        14 create container p-web-1: not found (after 1)
        15 prepare container p-web-1 (after 14)
        16 start container p-web-1: created by 14 (after 13, 15)
        """,
    )


def test_a_second_up_of_an_unchanged_project_does_nothing(monkeypatch) -> None:
    found = is_up(STACK)
    monkeypatch.setitem(__import__("sys").modules, "networkx", None)  # not even an import
    plan = up(STACK, found)
    assert plan.steps == ()
    assert plan.unchanged == ("p-web-1", "p-api-1", "p-job-1", "p-db-1")
    assert plan.warnings == ()


def test_containers_are_made_as_the_project_says() -> None:
    made = [one.operation for one in up(PAIR).steps if isinstance(one.operation, CreateContainer)]
    assert [(one.name, one.image, one.number) for one in made] == [
        ("p-db-1", "db", 1),
        ("p-web-1", "web", 1),
    ]
    assert made[0].labels["com.docker.compose.image"] == "sha256:db"
    assert made[0].labels["com.docker.compose.config-hash"] == made[0].config_hash


def test_a_changed_definition_recreates_only_that_container() -> None:
    expect(
        up(changed(PAIR, "web"), is_up(PAIR), timeout=3),
        """\
        1 recreate container p-web-1: configuration changed
        2 prepare container p-web-1 (after 1)
        3 start container p-web-1: recreated by 1 (after 2)
        """,
    )


def test_a_replaced_container_is_named_by_id_and_stopped_in_the_time_that_was_asked_for() -> None:
    plan = up(changed(PAIR, "web"), is_up(PAIR), timeout=3)
    made = plan.steps[0].operation
    assert (made.replaces, made.grace) == ("id6", 3)
    assert made.labels["com.docker.compose.replace"] == "id6"


def test_a_newer_image_recreates() -> None:
    found = is_up(PAIR)
    newer = replace(found, images={**found.images, "db": "sha256:new"})
    expect(
        up(PAIR, newer),
        """\
        1 recreate container p-db-1: image changed
        2 prepare container p-db-1 (after 1)
        3 start container p-db-1: recreated by 1 (after 2)
        """,
    )


def test_an_image_that_is_not_in_the_store_any_more_changes_nothing() -> None:
    assert up(PAIR, replace(is_up(PAIR), images={})).steps == ()


def test_force_recreates_what_was_named_and_dependencies_only_where_told() -> None:
    found = is_up(PAIR)
    assert "forced" in text(up(PAIR, found, recreate="force", selected=("web",)))
    assert "db" not in text(up(PAIR, found, recreate="force", selected=("web",)))
    both = text(up(PAIR, found, recreate="force", recreate_dependencies="force", selected=("web",)))
    assert "recreate container p-db-1: forced" in both


def test_no_recreate_leaves_what_runs_as_it_is() -> None:
    plan = up(changed(PAIR, "web", "db"), is_up(PAIR), recreate="never")
    assert (plan.steps, plan.unchanged) == ((), ("p-web-1", "p-db-1"))


def test_stopped_containers_are_started_with_what_they_wait_for() -> None:
    found = with_status(is_up(STACK), "p-job-1", state="exited", exit_code=0)
    expect(
        up(STACK, found),
        """\
        1 prepare container p-job-1
        2 wait for db: healthy: job depends on it
        3 start container p-job-1: exited (0) (after 1, 2)
        4 wait for job: completed_successfully: api depends on it (after 3)
        """,
    )


@pytest.mark.parametrize("state", ["paused", "restarting"])
def test_what_is_paused_or_about_to_restart_is_left(state) -> None:
    assert up(PAIR, with_status(is_up(PAIR), "p-db-1", state=state)).steps == ()


def test_half_removed_containers_are_made_anew() -> None:
    plan = up(PAIR, with_status(is_up(PAIR), "p-db-1", state="dead"))
    assert "1 recreate container p-db-1: half removed\n" in text(plan)


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


def test_only_what_was_named_and_what_it_needs_comes_up() -> None:
    assert "web" not in text(up(PAIR, selected=("db",)))
    assert "p-db-1" in text(up(PAIR, selected=("web",)))
    assert "p-db-1" not in text(up(PAIR, selected=("web",), dependencies=False))
    with pytest.raises(NoSuchService, match=r"^no such service: nope$"):
        up(PAIR, selected=("nope",))


def test_networks_and_volumes_that_nobody_uses_are_not_made_unless_asked_for() -> None:
    wanted = project(service("a"), networks=("default", "spare"), volumes=("data",))
    assert "spare" not in text(up(wanted))
    everything = text(up(wanted, all_resources=True))
    assert "create network p_spare" in everything
    assert "create volume p_data" in everything


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
    wanted = project(service("web", {"db": HEALTHY}), service("db", replicas=0))
    expect(
        up(wanted),
        """\
        1 create network p_default: not found
        2 create container p-web-1: not found (after 1)
        3 prepare container p-web-1 (after 2)
        4 start container p-web-1: created by 2 (after 3)
        """,
    )


def test_a_dependency_that_no_profile_switches_on_is_refused_unless_optional() -> None:
    debug = service("db", profiles=("debug", "full"))
    with pytest.raises(
        DependencyDisabled,
        match=r'^service "db" is required by "web" but is disabled\. '
        r"Can be enabled by profiles \[debug full\]$",
    ):
        up(project(service("web", ["db"]), disabled=[debug]))
    optional = {"db": Dependency(required=False)}
    assert "p-web-1" in text(up(project(service("web", optional), disabled=[debug])))


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
    wanted = project(service("web", {"db": HEALTHY}), service("db"))
    assert "wait" not in text(up(wanted, selected=("web",), dependencies=False))


def test_who_borrows_by_name_is_prepared_when_what_it_depends_on_runs() -> None:
    pair = project(service("main"), service("side", {"main": HEALTHY}, pid="container:p-main-1"))
    assert text(up(pair)).splitlines()[3:] == [
        "4 start container p-main-1: created by 2 (after 3)",
        "5 create container p-side-1: not found (after 1)",
        "6 wait for main: healthy: side depends on it (after 4)",
        "7 prepare container p-side-1 (after 5, 6)",
        "8 start container p-side-1: created by 5 (after 7)",
    ]
