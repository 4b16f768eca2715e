"""Networks and volumes: which are created, which are recreated, and what is warned of."""

import pytest

from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import MountPoint, ObservedNetwork, ObservedVolume
from cntnr_compose.model.plan import render_plan
from cntnr_compose.model.service import Mount
from cntnr_compose.reconcile.resource_decisions import (
    NetworkNotFound,
    VolumeNotFound,
    changed_volumes,
)
from tests.unit.reconcile.world import (
    CHANGED,
    PAIR,
    creations,
    empty_snapshot,
    expect,
    internal,
    is_up,
    up,
    with_service,
    with_status,
)


def test_a_changed_network_is_made_anew_between_stops_and_starts() -> None:
    expect(
        up(internal(PAIR), is_up(PAIR)),
        """\
        1 stop container p-web-1: its network or volume is made anew
        2 stop container p-db-1: its network or volume is made anew (after 1)
        3 remove network p_default: configuration changed (after 2)
        4 create network p_default: configuration changed (after 3)
        5 prepare container p-db-1 (after 4)
        6 start container p-db-1: its network or volume is made anew (after 5)
        7 prepare container p-web-1 (after 4)
        8 start container p-web-1: its network or volume is made anew (after 6, 7)
        """,
    )


def test_no_recreate_leaves_a_changed_network_alone() -> None:
    assert up(internal(PAIR), is_up(PAIR), recreate="never").steps == ()


def test_a_network_that_vanished_is_made_again_and_stopped_containers_attach_to_it() -> None:
    observed = with_status(replace(is_up(PAIR), networks={}), "p-db-1", state="exited")
    plan = render_plan(up(PAIR, observed, selected=("db",)))
    assert plan.splitlines()[:2] == [
        "1 create network p_default: not found",
        "2 prepare container p-db-1 (after 1)",
    ]


def test_an_external_network_must_exist() -> None:
    external = replace(PAIR.networks["default"], name="shared", external=True)
    desired = replace(PAIR, networks={"default": external})
    with pytest.raises(
        NetworkNotFound, match=r"^network shared declared as external, but could not be found$"
    ):
        up(desired)
    there = replace(
        empty_snapshot(desired), networks={"shared": ObservedNetwork(name="shared", project="q")}
    )
    plan = up(desired, there)
    assert "network" not in render_plan(plan)
    assert plan.warnings == ()


@pytest.mark.parametrize(("owner", "by"), [("", "by compose"), ("other", 'for project "p"')])
def test_a_network_of_somebody_else_is_used_with_a_warning(owner, by) -> None:
    foreign = ObservedNetwork(name="p_default", project=owner, config_hash="x")
    plan = up(PAIR, replace(empty_snapshot(PAIR), networks={"p_default": foreign}))
    assert "network" not in render_plan(plan)
    assert plan.warnings == (
        (
            f"a network with name p_default exists but was not created {by}.\n"
            "Set `external: true` to use an existing network"
        ),
    )


def labelled(desired):
    return replace(desired, volumes={"data": replace(desired.volumes["data"], labels={"a": "b"})})


def test_a_changed_volume_is_kept_with_a_warning() -> None:
    plan = up(labelled(PAIR), is_up(PAIR))
    assert plan.steps == ()
    assert plan.warnings == (
        (
            'Volume "p_data" exists but doesn\'t match configuration in compose file. '
            "It is used as it is; with --yes it is recreated, and its data is lost"
        ),
    )


def test_a_changed_volume_is_made_anew_where_that_was_said() -> None:
    expect(
        up(labelled(PAIR), is_up(PAIR), recreate_volumes=True),
        """\
        1 stop container p-db-1: volume p_data changed
        2 remove volume p_data: configuration changed (after 1)
        3 create volume p_data: configuration changed (after 2)
        4 recreate container p-db-1: volume p_data changed (after 3)
        5 prepare container p-db-1 (after 4)
        6 start container p-db-1: recreated by 4 (after 5)
        """,
    )


def test_volumes_are_recreated_by_name() -> None:
    assert changed_volumes(labelled(PAIR), is_up(PAIR)) == ("p_data",)
    assert changed_volumes(PAIR, is_up(PAIR)) == ()
    assert changed_volumes(labelled(PAIR), empty_snapshot(PAIR)) == ()
    assert "remove volume" in render_plan(
        up(labelled(PAIR), is_up(PAIR), recreated_volumes=("p_data",))
    )
    assert up(labelled(PAIR), is_up(PAIR), recreated_volumes=("other",)).steps == ()


def test_containers_move_to_a_network_under_its_new_name() -> None:
    networks = {"default": replace(PAIR.networks["default"], name="shop")}
    renamed = replace(PAIR, networks=networks)
    plan = render_plan(up(renamed, is_up(PAIR)))
    assert "create network shop: not found" in plan
    assert "recreate container p-web-1: not attached to network shop" in plan
    assert "remove network p_default: its name is shop now (after " in plan
    assert "remove network" not in render_plan(up(renamed, is_up(PAIR), selected=("db",)))
    assert "remove network" not in render_plan(up(renamed, is_up(PAIR), recreate="never"))


def test_an_external_volume_must_exist() -> None:
    external = replace(PAIR.volumes["data"], name="shared", external=True)
    desired = replace(PAIR, volumes={"data": external})
    with pytest.raises(VolumeNotFound, match=r'^external volume "shared" not found$'):
        up(desired)
    there = replace(empty_snapshot(desired), volumes={"shared": ObservedVolume(name="shared")})
    assert "volume" not in render_plan(up(desired, there))


def test_a_volume_of_somebody_else_is_used_with_a_warning() -> None:
    foreign = ObservedVolume(name="p_data", project="q", config_hash="x")
    plan = up(PAIR, replace(empty_snapshot(PAIR), volumes={"p_data": foreign}))
    assert plan.warnings == (
        (
            'volume "p_data" already exists but was created for project "q" (expected "p"). '
            "Use `external: true` to use an existing volume"
        ),
    )


def test_anonymous_volumes_are_taken_over_by_path_unless_renewed_or_covered() -> None:
    observed = is_up(PAIR)
    mounts = (
        MountPoint(type="volume", target="/cache", source="anon1", anonymous=True),
        MountPoint(type="volume", target="/conf", source="anon2", anonymous=True),
        MountPoint(type="volume", target="/named", source="p_data"),
    )
    containers = tuple(
        replace(container, record=replace(container.record, mounts=mounts))
        if container.name == "p-web-1"
        else container
        for container in observed.containers
    )
    observed = replace(observed, containers=containers)
    bind = Mount(type="bind", source="/etc/x", target="/conf")
    desired = with_service(
        PAIR, "web", volumes=(bind, Mount(type="volume", target="/cache")), **CHANGED
    )
    assert creations(up(desired, observed))[0].volumes == {"/cache": "anon1"}
    assert creations(up(desired, observed, renew_anonymous=True))[0].volumes == {}
