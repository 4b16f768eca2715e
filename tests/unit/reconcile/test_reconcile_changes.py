"""What a change drags along: networks, volumes, namespaces, numbers, orphans."""

from textwrap import dedent

import pytest

from cntnr_compose.core.errors import NoSuchService
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import MountPoint, ObservedNetwork, ObservedVolume
from cntnr_compose.model.plan import CreateContainer, render_plan
from cntnr_compose.model.service import Mount, NetworkAttachment
from cntnr_compose.reconcile.resource_decisions import NetworkNotFound, VolumeNotFound
from cntnr_compose.reconcile.up import (
    NameForOneOnly,
    OrphansContradiction,
    UpOptions,
    plan_scale,
    plan_up,
)
from tests.unit.reconcile.world import (
    DATA,
    TIED,
    carried_out,
    nothing,
    project,
    service,
    with_status,
)

PAIR = project(service("web", ["db"]), service("db", volumes=(DATA,)))
CHANGED = {"raw": {"image": "x", "tty": True}}


def up(wanted, found=None, **options):
    return plan_up(wanted, found or nothing(wanted), UpOptions(**options))


def is_up(wanted, **options):
    before = nothing(wanted)
    return carried_out(plan_up(wanted, before, UpOptions(**options)), wanted, before)


def with_service(of, name, **settings):
    return replace(of, services={**of.services, name: replace(of.services[name], **settings)})


def expect(plan, wanted: str) -> None:
    assert render_plan(plan) == dedent(wanted)


def made(plan) -> list[CreateContainer]:
    return [one.operation for one in plan.steps if isinstance(one.operation, CreateContainer)]


# networks


def internal(of):
    return replace(of, networks={"default": replace(of.networks["default"], internal=True)})


def test_a_changed_network_is_made_anew_between_stops_and_recreations() -> None:
    expect(
        up(internal(PAIR), is_up(PAIR)),
        """\
        1 stop container p-web-1: network p_default changed
        2 stop container p-db-1: network p_default changed (after 1)
        3 remove network p_default: configuration changed (after 2)
        4 create network p_default: configuration changed (after 3)
        5 recreate container p-db-1: network p_default changed (after 4)
        6 prepare container p-db-1 (after 5)
        7 start container p-db-1: recreated by 5 (after 6)
        8 recreate container p-web-1: network p_default changed (after 4)
        9 prepare container p-web-1 (after 8)
        10 start container p-web-1: recreated by 8 (after 7, 9)
        """,
    )


def test_those_on_a_changed_network_whom_nobody_named_are_only_restarted() -> None:
    expect(
        up(internal(PAIR), is_up(PAIR), selected=("db",)),
        """\
        1 stop container p-web-1: its network or volume is made anew
        2 stop container p-db-1: network p_default changed (after 1)
        3 remove network p_default: configuration changed (after 2)
        4 create network p_default: configuration changed (after 3)
        5 recreate container p-db-1: network p_default changed (after 4)
        6 prepare container p-db-1 (after 5)
        7 start container p-db-1: recreated by 5 (after 6)
        8 prepare container p-web-1 (after 4)
        9 start container p-web-1: its network or volume is made anew (after 7, 8)
        """,
    )


def at(address, **settings):
    one = service(settings.pop("name"), **settings, raw={"at": address})
    return replace(one, networks={"default": NetworkAttachment(ipv4_address=address)})


def with_addresses(found, **addresses):
    return replace(
        found,
        containers=tuple(
            replace(
                one,
                status=replace(one.status, addresses={"p_default": addresses[one.record.service]}),
            )
            for one in found.containers
        ),
    )


def test_who_has_an_address_that_another_asks_for_now_is_stopped_first() -> None:
    before = project(at("10.0.0.5", name="a"), at("10.0.0.6", name="b"))
    after = project(at("10.0.0.6", name="a"), at("10.0.0.5", name="b"))
    found = with_addresses(is_up(before), a="10.0.0.5", b="10.0.0.6")
    expect(
        up(after, found),
        """\
        1 stop container p-b-1: a takes its address
        2 stop container p-a-1: b takes its address
        3 recreate container p-a-1: configuration changed (after 2)
        4 prepare container p-a-1 (after 1, 3)
        5 start container p-a-1: recreated by 3 (after 4)
        6 recreate container p-b-1: configuration changed (after 1)
        7 prepare container p-b-1 (after 2, 6)
        8 start container p-b-1: recreated by 6 (after 7)
        """,
    )


def test_who_keeps_its_own_address_is_not_stopped_for_it() -> None:
    before = project(at("10.0.0.5", name="a"))
    after = with_service(before, "a", raw={"other": "x"})
    found = with_addresses(is_up(before), a="10.0.0.5")
    assert "stop" not in render_plan(up(after, found))


def test_no_recreate_leaves_a_changed_network_alone() -> None:
    assert up(internal(PAIR), is_up(PAIR), recreate="never").steps == ()


def test_a_network_that_vanished_is_made_again_and_stopped_containers_attach_to_it() -> None:
    found = with_status(replace(is_up(PAIR), networks={}), "p-db-1", state="exited")
    plan = render_plan(up(PAIR, found, selected=("db",)))
    assert plan.splitlines()[:2] == [
        "1 create network p_default: not found",
        "2 prepare container p-db-1 (after 1)",
    ]


def test_a_container_that_misses_a_network_is_recreated() -> None:
    found = is_up(PAIR)
    bare = tuple(
        replace(one, record=replace(one.record, networks={})) if one.name == "p-web-1" else one
        for one in found.containers
    )
    plan = render_plan(up(PAIR, replace(found, containers=bare)))
    assert "1 recreate container p-web-1: not attached to network p_default\n" in plan


def test_an_external_network_must_exist() -> None:
    external = replace(PAIR.networks["default"], name="shared", external=True)
    wanted = replace(PAIR, networks={"default": external})
    with pytest.raises(
        NetworkNotFound, match=r"^network shared declared as external, but could not be found$"
    ):
        up(wanted)
    there = replace(
        nothing(wanted), networks={"shared": ObservedNetwork(name="shared", project="q")}
    )
    plan = up(wanted, there)
    assert "network" not in render_plan(plan)
    assert plan.warnings == ()


@pytest.mark.parametrize(("owner", "by"), [("", "by compose"), ("other", 'for project "p"')])
def test_a_network_of_somebody_else_is_used_with_a_warning(owner, by) -> None:
    foreign = ObservedNetwork(name="p_default", project=owner, config_hash="x")
    plan = up(PAIR, replace(nothing(PAIR), networks={"p_default": foreign}))
    assert "network" not in render_plan(plan)
    assert plan.warnings == (
        (
            f"a network with name p_default exists but was not created {by}.\n"
            "Set `external: true` to use an existing network"
        ),
    )


# volumes


def labelled(of):
    return replace(of, volumes={"data": replace(of.volumes["data"], labels={"a": "b"})})


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


def test_a_container_that_misses_a_volume_is_recreated() -> None:
    renamed = replace(PAIR, volumes={"data": replace(PAIR.volumes["data"], name="other")})
    plan = render_plan(up(renamed, is_up(PAIR)))
    assert "1 create volume other: not found\n" in plan
    assert "2 recreate container p-db-1: volume other not mounted (after 1)\n" in plan


def test_an_external_volume_must_exist() -> None:
    external = replace(PAIR.volumes["data"], name="shared", external=True)
    wanted = replace(PAIR, volumes={"data": external})
    with pytest.raises(VolumeNotFound, match=r'^external volume "shared" not found$'):
        up(wanted)
    there = replace(nothing(wanted), volumes={"shared": ObservedVolume(name="shared")})
    assert "volume" not in render_plan(up(wanted, there))


def test_a_volume_of_somebody_else_is_used_with_a_warning() -> None:
    foreign = ObservedVolume(name="p_data", project="q", config_hash="x")
    plan = up(PAIR, replace(nothing(PAIR), volumes={"p_data": foreign}))
    assert plan.warnings == (
        (
            'volume "p_data" already exists but was created for project "q" (expected "p"). '
            "Use `external: true` to use an existing volume"
        ),
    )


def test_anonymous_volumes_are_taken_over_by_path_unless_renewed_or_covered() -> None:
    found = is_up(PAIR)
    mounts = (
        MountPoint(type="volume", target="/cache", source="anon1", anonymous=True),
        MountPoint(type="volume", target="/conf", source="anon2", anonymous=True),
        MountPoint(type="volume", target="/named", source="p_data"),
    )
    containers = tuple(
        replace(one, record=replace(one.record, mounts=mounts)) if one.name == "p-web-1" else one
        for one in found.containers
    )
    found = replace(found, containers=containers)
    bind = Mount(type="bind", source="/etc/x", target="/conf")
    wanted = with_service(
        PAIR, "web", volumes=(bind, Mount(type="volume", target="/cache")), **CHANGED
    )
    assert made(up(wanted, found))[0].volumes == {"/cache": "anon1"}
    assert made(up(wanted, found, renew_anonymous=True))[0].volumes == {}


# those that share namespaces, or asked to be restarted

SIDE = project(service("side", network_mode="service:db"), service("db"))


def test_who_shares_a_namespace_is_set_up_after_its_lender() -> None:
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


def test_who_shares_a_namespace_is_recreated_with_its_lender() -> None:
    expect(
        up(with_service(SIDE, "db", **CHANGED), is_up(SIDE)),
        """\
        1 stop container p-side-1: db is recreated
        2 recreate container p-db-1: configuration changed (after 1)
        3 prepare container p-db-1 (after 2)
        4 start container p-db-1: recreated by 2 (after 3)
        5 recreate container p-side-1: namespace of db changed (after 1)
        6 prepare container p-side-1 (after 3, 5)
        7 start container p-side-1: recreated by 5 (after 4, 6)
        """,
    )


def test_who_shares_a_namespace_is_restarted_when_its_lender_starts_again() -> None:
    found = with_status(is_up(SIDE), "p-db-1", state="exited", exit_code=1)
    expect(
        up(SIDE, found),
        """\
        1 stop container p-side-1: namespace of db is new
        2 prepare container p-db-1
        3 start container p-db-1: exited (1) (after 2)
        4 prepare container p-side-1 (after 1, 2)
        5 start container p-side-1: namespace of db is new (after 3, 4)
        """,
    )


def test_who_has_run_for_longer_than_its_lender_lives_in_a_dead_namespace() -> None:
    found = with_status(is_up(SIDE), "p-db-1", started=1000)
    plan = render_plan(up(SIDE, found))
    assert plan.startswith("1 stop container p-side-1: namespace of db is new\n")
    assert "p-db-1" not in plan


def test_more_replicas_of_a_lender_leave_those_that_live_in_the_first() -> None:
    assert "side" not in render_plan(up(SIDE, is_up(SIDE), scale={"db": 2}))


def test_who_mounts_the_volumes_of_another_is_made_after_it_and_recreated_with_it() -> None:
    wanted = project(service("web", volumes_from=("db:ro",)), service("db"))
    assert "5 create container p-web-1: not found (after 2)\n" in render_plan(up(wanted))
    plan = render_plan(up(with_service(wanted, "db", **CHANGED), is_up(wanted)))
    assert "recreate container p-web-1: volumes of db changed (after 1)\n" in plan


def test_who_asked_to_be_restarted_is_stopped_before_and_started_after_a_recreation() -> None:
    wanted = project(service("web", {"db": TIED}), service("db"))
    expect(
        up(with_service(wanted, "db", **CHANGED), is_up(wanted)),
        """\
        1 stop container p-web-1: db is recreated
        2 recreate container p-db-1: configuration changed (after 1)
        3 prepare container p-db-1 (after 2)
        4 start container p-db-1: recreated by 2 (after 3)
        5 prepare container p-web-1 (after 1)
        6 start container p-web-1: db is recreated (after 4, 5)
        """,
    )
    assert up(wanted, with_status(is_up(wanted), "p-db-1", started=9)).steps == ()


def test_who_did_not_ask_is_left_running() -> None:
    plan = render_plan(up(with_service(PAIR, "db", **CHANGED), is_up(PAIR)))
    assert "web" not in plan


# numbers


def numbers(plan) -> list[int]:
    return [one.number for one in made(plan)]


def test_scaling_up_goes_on_after_the_highest_number() -> None:
    found = is_up(PAIR, scale={"web": 3})
    gap = replace(found, containers=tuple(one for one in found.containers if one.name != "p-web-2"))
    plan = up(PAIR, gap, scale={"web": 4})
    assert numbers(plan) == [4, 5]
    assert "create container p-web-4: scaled up to 4\n" in render_plan(plan)


def test_scaling_down_removes_the_highest_numbers() -> None:
    expect(
        up(PAIR, is_up(PAIR, scale={"web": 3}), timeout=5),
        """\
        1 stop container p-web-2: scaled down to 1
        2 remove container p-web-2: scaled down to 1 (after 1)
        3 stop container p-web-3: scaled down to 1
        4 remove container p-web-3: scaled down to 1 (after 3)
        """,
    )


def test_scaling_down_removes_first_what_is_not_as_it_should_be() -> None:
    found = is_up(PAIR, scale={"web": 2})
    old = tuple(
        replace(one, record=replace(one.record, config_hash="old"))
        if one.name == "p-web-1"
        else one
        for one in found.containers
    )
    plan = up(PAIR, replace(found, containers=old))
    assert "remove container p-web-1: scaled down to 1" in render_plan(plan)
    assert "p-web-2" in plan.unchanged


def test_replicas_of_the_file_count_and_none_means_none() -> None:
    assert numbers(up(with_service(PAIR, "web", replicas=3))) == [1, 1, 2, 3]
    plan = up(with_service(PAIR, "web", replicas=0), is_up(PAIR))
    assert "2 remove container p-web-1: scaled down to 0 (after 1)\n" in render_plan(plan)


def test_a_container_name_is_used_and_allows_one_container() -> None:
    wanted = with_service(PAIR, "web", container_name="front")
    assert [one.name for one in made(up(wanted))] == ["p-db-1", "front"]
    with pytest.raises(
        NameForOneOnly, match=r'^cannot scale service "web" to 2: its container is named "front"'
    ):
        up(wanted, scale={"web": 2})


def test_compatibility_separates_names_by_an_underscore() -> None:
    assert [one.name for one in made(up(PAIR, separator="_"))] == ["p_db_1", "p_web_1"]


def test_scale_touches_what_was_named_and_what_it_needs() -> None:
    plan = plan_scale(PAIR, nothing(PAIR), {"web": 2})
    assert [one.name for one in made(plan)] == ["p-db-1", "p-web-1", "p-web-2"]
    alone = plan_scale(PAIR, nothing(PAIR), {"web": 2}, dependencies=False)
    assert [one.name for one in made(alone)] == ["p-web-1", "p-web-2"]
    with pytest.raises(NoSuchService):
        plan_scale(PAIR, nothing(PAIR), {"nope": 1})


# orphans

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
    wanted = project(service("new"))
    expect(
        up(wanted, replace(is_up(ALONE), images={}), remove_orphans=True),
        """\
        1 stop container p-web-1: orphan
        2 remove container p-web-1: orphan (after 1)
        3 create container p-new-1: not found (after 2)
        4 prepare container p-new-1 (after 3)
        5 start container p-new-1: created by 3 (after 4)
        """,
    )


def test_services_that_were_not_named_or_are_disabled_are_no_orphans() -> None:
    wanted = project(service("web"), disabled=[service("db")])
    assert up(wanted, is_up(PAIR)).warnings == ()
    assert up(PAIR, is_up(PAIR), selected=("db",)).warnings == ()


def test_a_one_off_is_an_orphan_once_it_has_ended() -> None:
    found = is_up(ALONE)
    oneoff = replace(found.containers[0], record=replace(found.containers[0].record, oneoff=True))
    running = replace(found, containers=(oneoff,))
    assert up(ALONE, running).warnings == ()
    assert "Found orphan" in up(ALONE, with_status(running, "p-web-1", state="exited")).warnings[0]


def test_orphans_are_ignored_or_removed_not_both() -> None:
    assert up(ALONE, is_up(PAIR), ignore_orphans=True).warnings == ()
    with pytest.raises(OrphansContradiction, match=r"^cannot combine COMPOSE_IGNORE_ORPHANS and "):
        up(ALONE, is_up(PAIR), ignore_orphans=True, remove_orphans=True)
