"""What stop, kill, rm and down do with what they find."""

import pytest

from cntnr_compose.core.errors import NoSuchService
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import Container, MountPoint, ObservedNetwork, ObservedVolume
from cntnr_compose.model.plan import RemoveContainer, StopContainer, render_plan
from cntnr_compose.reconcile import teardown
from cntnr_compose.reconcile.teardown import DownOptions, plan_down
from tests.unit.reconcile.world import (
    DATA,
    empty_snapshot,
    expect,
    is_up,
    project,
    service,
    with_status,
)

CHAIN = project(
    service("web", ["api"]),
    service("api", ["db"]),
    service("db", volumes=(DATA,)),
    service("mail"),
)
UP = is_up(CHAIN)


def with_container(observed, like: str, **record):
    """Add a container like another one."""
    model = next(one for one in observed.containers if one.name == like)
    added = Container(record=replace(model.record, **record), status=model.status)
    return replace(observed, containers=(*observed.containers, added))


def with_oneoff(observed):
    return with_container(observed, "p-web-1", name="p-web-run-f00", oneoff=True)


def test_stop_goes_from_those_that_depend_to_those_they_depend_on() -> None:
    expect(
        teardown.plan_stop(CHAIN, UP),
        """\
        1 stop container p-web-1
        2 stop container p-api-1 (after 1)
        3 stop container p-db-1 (after 2)
        4 stop container p-mail-1
        """,
    )


def test_without_a_file_the_order_is_that_which_the_containers_were_made_with() -> None:
    assert render_plan(teardown.plan_stop(None, UP)) == render_plan(teardown.plan_stop(CHAIN, UP))


def test_stop_keeps_the_order_across_what_was_not_named() -> None:
    expect(
        teardown.plan_stop(CHAIN, UP, ("db", "web"), timeout=3),
        """\
        1 stop container p-web-1
        2 stop container p-db-1 (after 1)
        """,
    )
    assert {one.operation.grace for one in teardown.plan_stop(CHAIN, UP, timeout=3).steps} == {3}


def test_stop_passes_over_one_offs() -> None:
    observed = with_status(with_oneoff(UP), "p-api-1", state="exited")
    names = [one.operation.name for one in teardown.plan_stop(CHAIN, observed).steps]
    assert names == ["p-web-1", "p-api-1", "p-db-1", "p-mail-1"]


@pytest.mark.parametrize("verb", [teardown.plan_stop, teardown.plan_kill, teardown.plan_remove])
def test_a_service_that_is_not_there_is_named(verb) -> None:
    with pytest.raises(NoSuchService, match=r"^no such service: nope$"):
        verb(CHAIN, UP, ("nope",))
    # Without the files nobody knows that there never was one.
    assert verb(None, UP, ("nope",)).steps == ()


def test_kill_sends_a_signal_to_all_that_runs_in_no_order() -> None:
    observed = with_status(with_oneoff(UP), "p-db-1", state="exited")
    plan = teardown.plan_kill(CHAIN, observed, signal="SIGHUP")
    assert sorted(one.operation.name for one in plan.steps) == [
        "p-api-1",
        "p-mail-1",
        "p-web-1",
        "p-web-run-f00",
    ]
    assert {(one.operation.signal, one.after) for one in plan.steps} == {("SIGHUP", ())}


def test_kill_reaches_orphans_only_where_told() -> None:
    small = project(service("web", ["api"]), service("api"))
    assert "p-db-1" not in render_plan(teardown.plan_kill(small, UP))
    assert "p-db-1" in render_plan(teardown.plan_kill(small, UP, orphans=True))


def test_rm_removes_only_what_has_ended() -> None:
    observed = with_status(UP, "p-api-1", state="exited")
    plan = teardown.plan_remove(CHAIN, observed, volumes=True)
    assert [one.operation for one in plan.steps] == [RemoveContainer(name="p-api-1", volumes=True)]


def test_rm_stops_first_where_told() -> None:
    expect(
        teardown.plan_remove(CHAIN, UP, ("db", "api"), stop=True),
        """\
        1 stop container p-api-1
        2 stop container p-db-1 (after 1)
        3 remove container p-db-1 (after 2)
        4 remove container p-api-1 (after 1)
        """,
    )


def test_down_removes_containers_then_networks_and_keeps_volumes() -> None:
    expect(
        plan_down(CHAIN, UP, DownOptions(timeout=0)),
        """\
        1 stop container p-web-1
        2 stop container p-api-1 (after 1)
        3 stop container p-db-1 (after 2)
        4 stop container p-mail-1
        5 remove container p-db-1 (after 3)
        6 remove container p-api-1 (after 2)
        7 remove container p-web-1 (after 1)
        8 remove container p-mail-1 (after 4)
        9 remove network p_default (after 5, 6, 7, 8)
        """,
    )
    stops = [one.operation for one in plan_down(CHAIN, UP, DownOptions(timeout=0)).steps]
    assert {one.grace for one in stops if isinstance(one, StopContainer)} == {0}


def test_down_without_a_file_does_the_same() -> None:
    plan = plan_down(None, UP)
    assert sorted(one.operation.describe() for one in plan.steps) == sorted(
        step.operation.describe() for step in plan_down(CHAIN, UP).steps
    )


def test_down_shows_the_stop_of_what_has_ended_as_docker_does() -> None:
    observed = with_status(UP, "p-web-1", state="exited")
    assert render_plan(plan_down(CHAIN, observed)) == render_plan(plan_down(CHAIN, UP))


def test_down_with_volumes_removes_named_and_anonymous_ones() -> None:
    leftover = ObservedVolume(name="f00", project="p", anonymous=True)
    observed = replace(UP, volumes={**UP.volumes, "f00": leftover})
    for file in (CHAIN, None):
        plan = render_plan(plan_down(file, observed, DownOptions(volumes=True)))
        assert "remove volume p_data (after " in plan
        assert "remove volume f00\n" in plan
    removals = [
        step.operation for step in plan_down(CHAIN, observed, DownOptions(volumes=True)).steps
    ]
    assert all(one.volumes for one in removals if isinstance(one, RemoveContainer))


def test_down_never_removes_what_is_external_or_of_another_project() -> None:
    outside = replace(
        UP,
        networks={**UP.networks, "shared": ObservedNetwork(name="shared", project="q")},
        volumes={
            "shared": ObservedVolume(name="shared", project="q"),
            "bare": ObservedVolume(name="bare"),
        },
    )
    for file in (CHAIN, None):
        plan = render_plan(plan_down(file, outside, DownOptions(volumes=True)))
        assert "shared" not in plan
        assert "bare" not in plan


def test_down_keeps_volumes_that_the_file_does_not_declare_any_more() -> None:
    undeclared = replace(CHAIN, volumes={})
    assert "volume" not in render_plan(plan_down(undeclared, UP, DownOptions(volumes=True)))


def test_down_removes_networks_that_the_file_does_not_declare_any_more() -> None:
    assert "remove network p_default" in render_plan(plan_down(replace(CHAIN, networks={}), UP))


def test_down_of_a_service_takes_those_that_depend_on_it_and_keeps_networks() -> None:
    expect(
        plan_down(CHAIN, UP, DownOptions(selected=("api",))),
        """\
        1 stop container p-web-1
        2 stop container p-api-1 (after 1)
        3 remove container p-api-1 (after 2)
        4 remove container p-web-1 (after 1)
        """,
    )


def test_down_of_a_service_with_volumes_keeps_those_that_others_use() -> None:
    observed = with_container(UP, "p-db-1", name="p-mail-2", service="mail", number=2)
    plan = plan_down(CHAIN, observed, DownOptions(selected=("db",), volumes=True))
    assert "volume" not in render_plan(plan)
    assert plan.warnings == ("volume p_data is still in use by p-mail-2",)
    assert "remove volume p_data" in render_plan(
        plan_down(CHAIN, UP, DownOptions(selected=("db",), volumes=True))
    )
    assert "volume" not in render_plan(
        plan_down(CHAIN, UP, DownOptions(selected=("mail",), volumes=True))
    )


def test_down_leaves_orphans_and_one_offs_unless_told() -> None:
    small = project(service("web", ["api"]), service("api"))
    observed = with_oneoff(UP)
    plan = render_plan(plan_down(small, observed))
    assert "run" not in plan
    assert "db" not in plan
    everything = render_plan(plan_down(small, observed, DownOptions(remove_orphans=True)))
    assert "remove container p-web-run-f00 (after " in everything
    assert "remove container p-db-1 (after " in everything


def test_down_leaves_services_of_disabled_profiles() -> None:
    small = project(service("web", ["api"]), service("api"), disabled=[service("mail")])
    for orphans in (False, True):
        assert "mail" not in render_plan(plan_down(small, UP, DownOptions(remove_orphans=orphans)))


def test_down_with_nothing_there_says_so() -> None:
    plan = plan_down(None, empty_snapshot(CHAIN))
    assert plan.steps == ()
    assert plan.warnings == ('Warning: No resource found to remove for project "p".',)
    assert plan_down(CHAIN, empty_snapshot(CHAIN)).warnings == ()
    assert plan_down(None, empty_snapshot(CHAIN), DownOptions(selected=("gone",))).steps == ()


def test_down_with_a_file_refuses_a_service_that_is_not_in_it() -> None:
    with pytest.raises(NoSuchService):
        plan_down(CHAIN, UP, DownOptions(selected=("gone",)))


def test_an_anonymous_volume_in_use_goes_with_its_container() -> None:
    mounts = (MountPoint(type="volume", target="/x", source="f00", anonymous=True),)
    observed = with_container(UP, "p-mail-1", name="p-mail-2", number=2, mounts=mounts)
    held = ObservedVolume(name="f00", project="p", anonymous=True)
    observed = replace(observed, volumes={**observed.volumes, "f00": held})
    assert "f00" not in render_plan(plan_down(CHAIN, observed, DownOptions(volumes=True)))


def test_records_that_wait_for_each_other_still_come_down() -> None:
    circle = tuple(
        replace(container, record=replace(container.record, definition=service("db", ["web"])))
        if container.name == "p-db-1"
        else container
        for container in UP.containers
    )
    plan = plan_down(None, replace(UP, containers=circle))
    stops = [one.operation for one in plan.steps if isinstance(one.operation, StopContainer)]
    assert len(stops) == 4
    assert all(one.number > max(one.after, default=0) for one in plan.steps)
