"""Starting what is stopped, and restarting what runs."""

import pytest

from cntnr_compose.core.errors import NoSuchService
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import (
    LOST_ERROR,
    LOST_EXIT_CODE,
    Container,
    Observed,
    Record,
    Status,
)
from cntnr_compose.model.plan import render_plan
from cntnr_compose.model.service import Dependency, RestartPolicy
from cntnr_compose.reconcile.restart import (
    NothingToStart,
    plan_pause,
    plan_restart,
    plan_start,
    plan_start_after_boot,
)
from tests.unit.reconcile.world import (
    COMPLETED,
    HEALTHY,
    empty_snapshot,
    expect,
    is_up,
    project,
    service,
    with_status,
)

CHAIN = project(
    service("web", {"api": Dependency(condition="service_healthy", restart=True), "mail": HEALTHY}),
    service("api", ["db"]),
    service("db"),
    service("mail"),
)
UP = is_up(CHAIN)
STOPPED = replace(
    UP,
    containers=tuple(
        replace(container, status=replace(container.status, state="exited"))
        for container in UP.containers
    ),
)


def test_start_brings_up_what_is_there_after_what_it_needs() -> None:
    expect(
        plan_start(CHAIN, STOPPED, ("api",)),
        """\
        1 prepare container p-db-1
        2 start container p-db-1: exited (0) (after 1)
        3 prepare container p-api-1
        4 start container p-api-1: exited (0) (after 2, 3)
        """,
    )


def test_start_without_a_file_uses_what_the_containers_were_made_from() -> None:
    plan = plan_start(None, STOPPED, ("web",))
    assert "wait for mail: healthy: web depends on it" in render_plan(plan)
    assert len(plan.steps) == 10


def test_start_leaves_what_runs_and_makes_nothing() -> None:
    plan = plan_start(CHAIN, UP)
    assert (plan.steps, plan.unchanged) == ((), ())
    with pytest.raises(NothingToStart, match=r'^service "web" has no container to start$'):
        plan_start(CHAIN, empty_snapshot(CHAIN))
    assert plan_start(CHAIN, replace(UP, containers=UP.containers[:1]), ("web",)).steps == ()
    with pytest.raises(NoSuchService):
        plan_start(CHAIN, UP, ("nope",))


def test_start_can_wait_until_all_runs() -> None:
    plan = plan_start(CHAIN, UP, ("db",), wait=True, wait_timeout=5)
    expect(plan, "1 wait for db: running_or_healthy: --wait\n")
    assert plan.steps[0].operation.timeout == 5


def test_restart_takes_along_those_that_asked_to_be_restarted() -> None:
    expect(
        plan_restart(CHAIN, UP, ("api",), timeout=1),
        """\
        1 stop container p-api-1
        2 prepare container p-api-1 (after 1)
        3 start container p-api-1 (after 2)
        4 wait for api: healthy: web depends on it (after 3)
        5 stop container p-web-1: api is restarted (after 4)
        6 prepare container p-web-1 (after 5)
        7 start container p-web-1: api is restarted (after 6)
        """,
    )
    assert "web" not in render_plan(plan_restart(CHAIN, UP, ("api",), dependencies=False))


def test_restart_of_all_follows_only_those_that_asked() -> None:
    plan = render_plan(plan_restart(CHAIN, UP))
    assert "stop container p-api-1\n" in plan  # at once, though it depends on db
    assert "stop container p-web-1 (after" in plan


def test_restart_starts_what_is_stopped() -> None:
    expect(
        plan_restart(CHAIN, with_status(UP, "p-db-1", state="exited"), ("db",)),
        """\
        1 stop container p-db-1
        2 prepare container p-db-1 (after 1)
        3 start container p-db-1 (after 2)
        """,
    )


def test_restart_without_a_file_follows_what_the_containers_were_made_from() -> None:
    assert render_plan(plan_restart(None, UP, ("api",))) == render_plan(
        plan_restart(CHAIN, UP, ("api",))
    )


def test_restart_of_a_owner_restarts_those_that_live_in_its_namespace() -> None:
    desired = project(service("side", network_mode="service:db"), service("db"))
    observed = is_up(desired)
    assert "stop container p-side-1: db is restarted (after 3)" in render_plan(
        plan_restart(desired, observed, ("db",))
    )


def test_restart_names_a_service_that_is_not_there() -> None:
    with pytest.raises(NoSuchService):
        plan_restart(CHAIN, UP, ("nope",))


def test_all_that_runs_is_paused_and_unpaused_in_no_order() -> None:
    observed = with_status(with_status(UP, "p-db-1", state="exited"), "p-api-1", state="paused")
    expect(
        plan_pause(CHAIN, observed),
        """\
        1 pause container p-web-1
        2 pause container p-api-1
        3 pause container p-mail-1
        """,
    )
    assert render_plan(plan_pause(None, observed, ("api",), unpause=True)) == (
        "1 unpause container p-api-1\n"
    )
    assert plan_pause(CHAIN, observed, ("db",)).steps == ()
    with pytest.raises(NoSuchService):
        plan_pause(CHAIN, observed, ("nope",))


def test_after_a_boot_what_restart_policies_ask_for_is_started_in_order() -> None:
    shop = project(
        service(
            "web", {"db": HEALTHY, "job": COMPLETED}, restart=RestartPolicy(condition="always")
        ),
        service("db", restart=RestartPolicy(condition="unless-stopped")),
        service("mail", restart=RestartPolicy(condition="unless-stopped")),
        service("cache", restart=RestartPolicy(condition="on-failure")),
        service("queue", restart=RestartPolicy(condition="on-failure")),
        service("job"),
    )
    ended = {
        "mail": {"stopped_by_user": True},
        "queue": {"exit_code": 137},
        "web": {"stopped_by_user": True},
    }
    booted = is_up(shop)
    containers = tuple(
        replace(it, status=replace(it.status, state="exited", **ended.get(it.record.service, {})))
        for it in booted.containers
    )
    expect(
        plan_start_after_boot(replace(booted, containers=containers)),
        """\
        1 prepare container p-db-1
        2 start container p-db-1: exited (0) (after 1)
        3 prepare container p-queue-1
        4 start container p-queue-1: exited (137) (after 3)
        5 prepare container p-web-1
        6 wait for db: healthy: web depends on it (after 2)
        7 start container p-web-1: exited (0) (after 5, 6)
        """,
    )
    created = replace(containers[0], status=Status())
    assert plan_start_after_boot(replace(booted, containers=(created,))).steps == ()


def test_without_a_reboot_only_what_was_lost_comes_back() -> None:
    services = (
        service("ended", restart=RestartPolicy(condition="always")),
        service("lost", restart=RestartPolicy(condition="unless-stopped")),
    )
    up = with_status(is_up(project(*services)), "p-ended-1", state="exited")
    up = with_status(up, "p-lost-1", state="exited", exit_code=LOST_EXIT_CODE, error=LOST_ERROR)
    started = {
        step.operation.describe() for step in plan_start_after_boot(up, rebooted=False).steps
    }
    assert not [words for words in started if "ended" in words]
    assert [words for words in started if "start container p-lost-1" in words]


def test_single_containers_come_back_after_those_whose_namespaces_they_use() -> None:
    def single(name: str, network_mode: str = "") -> Container:
        definition = service(name, restart=RestartPolicy(condition="always"))
        definition = replace(definition, network_mode=network_mode)
        record = Record(
            id=f"id-{name}",
            name=name,
            project="_",
            service=name,
            oneoff=True,
            definition=definition,
        )
        return Container(record=record, status=Status(state="exited"))

    containers = (
        single("guest", "container:id-host"),
        single("host"),
        single("plain"),
        single("circle", "container:circle"),
    )
    observed = Observed(project="_", containers=containers)
    plan = plan_start_after_boot(observed)
    assert plan.independent
    expect(
        plan,
        """\
        1 start container host
        2 start container plain
        3 start container guest (after 1)
        4 start container circle
        """,
    )
