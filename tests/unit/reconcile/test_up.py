"""What `up` and `scale` do with a project as a whole; a plan is compared as text."""

import pytest

from cntnr_compose.core.errors import NoSuchService
from cntnr_compose.core.values import replace
from cntnr_compose.model.plan import render_plan
from cntnr_compose.model.service import Dependency
from cntnr_compose.reconcile.up import (
    DependencyDisabled,
    NameForOneOnly,
    OrphansContradiction,
)
from tests.unit.reconcile.world import (
    PAIR,
    STACK,
    creations,
    expect,
    is_up,
    project,
    service,
    up,
    with_service,
    with_status,
)


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
    observed = is_up(STACK)
    monkeypatch.setitem(__import__("sys").modules, "networkx", None)  # not even an import
    plan = up(STACK, observed)
    assert plan.steps == ()
    assert plan.unchanged == ("p-web-1", "p-api-1", "p-job-1", "p-db-1")
    assert plan.warnings == ()


def test_only_what_was_named_and_what_it_needs_comes_up() -> None:
    assert "web" not in render_plan(up(PAIR, selected=("db",)))
    assert "p-db-1" in render_plan(up(PAIR, selected=("web",)))
    assert "p-db-1" not in render_plan(up(PAIR, selected=("web",), dependencies=False))
    with pytest.raises(NoSuchService, match=r"^no such service: nope$"):
        up(PAIR, selected=("nope",))


def test_networks_and_volumes_that_nobody_uses_are_not_made_unless_asked_for() -> None:
    desired = project(service("a"), networks=("default", "spare"), volumes=("data",))
    assert "spare" not in render_plan(up(desired))
    everything = render_plan(up(desired, all_resources=True))
    assert "create network p_spare" in everything
    assert "create volume p_data" in everything


def test_a_dependency_that_no_profile_switches_on_is_refused_unless_optional() -> None:
    debug = service("db", profiles=("debug", "full"))
    with pytest.raises(
        DependencyDisabled,
        match=r'^service "db" is required by "web" but is disabled\. '
        r"Can be enabled by profiles \[debug full\]$",
    ):
        up(project(service("web", ["db"]), disabled=[debug]))
    optional = {"db": Dependency(required=False)}
    assert "p-web-1" in render_plan(up(project(service("web", optional), disabled=[debug])))


def test_a_container_name_is_used_and_allows_one_container() -> None:
    desired = with_service(PAIR, "web", container_name="front")
    assert [one.name for one in creations(up(desired))] == ["p-db-1", "front"]
    with pytest.raises(
        NameForOneOnly, match=r'^cannot scale service "web" to 2: its container is named "front"'
    ):
        up(desired, scale={"web": 2})


def test_compatibility_separates_names_by_an_underscore() -> None:
    assert [one.name for one in creations(up(PAIR, separator="_"))] == ["p_db_1", "p_web_1"]


def test_scale_touches_what_was_named_and_what_it_needs() -> None:
    plan = up(PAIR, selected=("web",), scale={"web": 2})
    assert [one.name for one in creations(plan)] == ["p-db-1", "p-web-1", "p-web-2"]
    alone = up(PAIR, selected=("web",), scale={"web": 2}, dependencies=False)
    assert [one.name for one in creations(alone)] == ["p-web-1", "p-web-2"]
    with pytest.raises(NoSuchService):
        up(PAIR, selected=("nope",), scale={"nope": 1})


ALONE = project(service("web"))


def test_containers_of_no_service_are_told_in_docker_composes_words() -> None:
    plan = up(ALONE, is_up(PAIR), selected=("web",))
    assert plan.warnings == (
        (
            "Found orphan containers ([p-db-1]) for this project. If you removed or renamed this "
            "service in your compose file, you can run this command with the --remove-orphans flag to "
            "clean it up."
        ),
    )
    assert "db" not in render_plan(plan)


def test_orphans_are_removed_before_anything_is_made() -> None:
    desired = project(service("new"))
    expect(
        up(desired, replace(is_up(ALONE), images={}), remove_orphans=True),
        """\
        1 stop container p-web-1: orphan
        2 remove container p-web-1: orphan (after 1)
        3 create container p-new-1: not found (after 2)
        4 prepare container p-new-1 (after 3)
        5 start container p-new-1: created by 3 (after 4)
        """,
    )


def test_services_that_were_not_named_or_are_disabled_are_no_orphans() -> None:
    desired = project(service("web"), disabled=[service("db")])
    assert up(desired, is_up(PAIR)).warnings == ()
    assert up(PAIR, is_up(PAIR), selected=("db",)).warnings == ()


def test_a_one_off_is_an_orphan_once_it_has_ended() -> None:
    observed = is_up(ALONE)
    oneoff = replace(
        observed.containers[0], record=replace(observed.containers[0].record, oneoff=True)
    )
    running = replace(observed, containers=(oneoff,))
    assert up(ALONE, running).warnings == ()
    assert "Found orphan" in up(ALONE, with_status(running, "p-web-1", state="exited")).warnings[0]


def test_orphans_are_ignored_or_removed_not_both() -> None:
    assert up(ALONE, is_up(PAIR), ignore_orphans=True).warnings == ()
    with pytest.raises(OrphansContradiction, match=r"^cannot combine COMPOSE_IGNORE_ORPHANS and "):
        up(ALONE, is_up(PAIR), ignore_orphans=True, remove_orphans=True)
