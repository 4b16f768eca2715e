"""What is decided for some services and what that means for others."""

from cntnr_compose.core.values import replace
from cntnr_compose.model.plan import render_plan
from cntnr_compose.model.service import NetworkAttachment
from cntnr_compose.reconcile.consequences import restart_causes
from tests.unit.reconcile.world import (
    CHANGED,
    PAIR,
    SIDE,
    TIED,
    expect,
    internal,
    is_up,
    project,
    service,
    up,
    with_service,
    with_status,
)


def test_those_on_a_changed_network_are_restarted_also_where_nobody_named_them() -> None:
    expect(
        up(internal(PAIR), is_up(PAIR), selected=("db",)),
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


def at(address, **settings):
    definition = service(settings.pop("name"), **settings, raw={"at": address})
    return replace(definition, networks={"default": NetworkAttachment(ipv4_address=address)})


def with_addresses(observed, **addresses):
    return replace(
        observed,
        containers=tuple(
            replace(
                container,
                status=replace(
                    container.status, addresses={"p_default": addresses[container.record.service]}
                ),
            )
            for container in observed.containers
        ),
    )


def test_who_has_an_address_that_another_asks_for_now_is_stopped_first() -> None:
    before = project(at("10.0.0.5", name="a"), at("10.0.0.6", name="b"))
    after = project(at("10.0.0.6", name="a"), at("10.0.0.5", name="b"))
    observed = with_addresses(is_up(before), a="10.0.0.5", b="10.0.0.6")
    expect(
        up(after, observed),
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
    observed = with_addresses(is_up(before), a="10.0.0.5")
    assert "stop" not in render_plan(up(after, observed))


def test_who_shares_a_namespace_is_recreated_with_its_owner() -> None:
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


def test_who_shares_a_namespace_is_restarted_when_its_owner_starts_again() -> None:
    observed = with_status(is_up(SIDE), "p-db-1", state="exited", exit_code=1)
    expect(
        up(SIDE, observed),
        """\
        1 stop container p-side-1: namespace of db is new
        2 prepare container p-db-1
        3 start container p-db-1: exited (1) (after 2)
        4 prepare container p-side-1 (after 1, 2)
        5 start container p-side-1: namespace of db is new (after 3, 4)
        """,
    )


def test_who_has_run_for_longer_than_its_owner_lives_in_a_dead_namespace() -> None:
    observed = with_status(is_up(SIDE), "p-db-1", started=1000)
    plan = render_plan(up(SIDE, observed))
    assert plan.startswith("1 stop container p-side-1: namespace of db is new\n")
    assert "p-db-1" not in plan


def test_more_replicas_of_a_owner_leave_those_that_live_in_the_first() -> None:
    assert "side" not in render_plan(up(SIDE, is_up(SIDE), scale={"db": 2}))


def test_who_mounts_the_volumes_of_another_is_made_after_it_and_recreated_with_it() -> None:
    desired = project(service("web", volumes_from=("db:ro",)), service("db"))
    assert "5 create container p-web-1: not found (after 2)\n" in render_plan(up(desired))
    plan = render_plan(up(with_service(desired, "db", **CHANGED), is_up(desired)))
    assert "recreate container p-web-1: volumes of db changed (after 1)\n" in plan


def test_who_asked_to_be_restarted_is_stopped_before_and_started_after_a_recreation() -> None:
    desired = project(service("web", {"db": TIED}), service("db"))
    expect(
        up(with_service(desired, "db", **CHANGED), is_up(desired)),
        """\
        1 stop container p-web-1: db is recreated
        2 recreate container p-db-1: configuration changed (after 1)
        3 prepare container p-db-1 (after 2)
        4 start container p-db-1: recreated by 2 (after 3)
        5 prepare container p-web-1 (after 1)
        6 start container p-web-1: db is recreated (after 4, 5)
        """,
    )
    assert up(desired, with_status(is_up(desired), "p-db-1", started=9)).steps == ()


def test_who_did_not_ask_is_left_running() -> None:
    plan = render_plan(up(with_service(PAIR, "db", **CHANGED), is_up(PAIR)))
    assert "web" not in plan


def test_what_restarts_a_service_comes_in_the_order_of_its_definition() -> None:
    names = ("z", "m", "b", "a")
    side = service("side", dict.fromkeys(names, TIED), network_mode="service:n", ipc="service:m")
    assert restart_causes(side) == (*names, "n")
