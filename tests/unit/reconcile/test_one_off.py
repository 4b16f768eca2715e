"""One-off containers: what `run` changes, and what has to be there first."""

from textwrap import dedent

import pytest

from cntnr_compose.core.errors import NoSuchService
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import ObservedVolume
from cntnr_compose.model.plan import CreateContainer, render_plan
from cntnr_compose.model.service import Mount, NetworkAttachment, Port, RestartPolicy
from cntnr_compose.reconcile.one_off import RunOptions, apply_run_options, plan_run
from cntnr_compose.reconcile.up import plan_up
from tests.unit.reconcile.world import (
    DATA,
    HEALTHY,
    empty_snapshot,
    project,
    service,
    snapshot_after,
)

SLUG = "0123456789abcdef" * 4
WEB = service(
    "web",
    {"db": HEALTHY},
    command=("serve",),
    entrypoint=("app",),
    environment={"A": "1", "B": "2"},
    labels={"a": "b"},
    user="www",
    working_dir="/srv",
    ports=(Port(target=80, published="80"),),
    volumes=(DATA,),
    cap_add=("NET_ADMIN", "SYS_TIME"),
    cap_drop=("CHOWN", "KILL"),
    container_name="front",
    restart=RestartPolicy(condition="always"),
)
WEB = replace(WEB, networks={"default": NetworkAttachment(aliases=("www",), priority=3)})
STACK = project(WEB, service("db"))
UP = snapshot_after(
    plan_up(project(service("db")), empty_snapshot(STACK)),
    project(service("db")),
    empty_snapshot(STACK),
)


def options(**settings) -> RunOptions:
    return RunOptions(service="web", slug=SLUG, **settings)


def run(observed=UP, **settings):
    return plan_run(STACK, observed, options(**settings))


def created(plan) -> CreateContainer:
    return next(
        step.operation
        for step in plan.before.steps
        if isinstance(step.operation, CreateContainer) and step.operation.oneoff
    )


def test_it_may_be_there_only_for_as_long_as_it_runs() -> None:
    assert created(run(auto_remove=True)).auto_remove
    assert not created(run()).auto_remove


def test_it_is_set_up_beside_what_it_needs_and_started_by_a_plan_of_its_own() -> None:
    plan = run(empty_snapshot(STACK))
    assert plan.name == "p-web-run-0123456789ab"
    assert render_plan(plan.before) == dedent("""\
        1 create network p_default: not found
        2 create volume p_data: not found
        3 create container p-db-1: not found (after 1)
        4 prepare container p-db-1 (after 3)
        5 start container p-db-1: created by 3 (after 4)
        6 create container p-web-run-0123456789ab: run (after 1, 2)
        7 wait for db: healthy: web depends on it (after 5)
        8 prepare container p-web-run-0123456789ab (after 6, 7)
        """)
    assert render_plan(plan.start) == "1 start container p-web-run-0123456789ab\n"
    assert render_plan(plan.removal) == f"1 remove container {SLUG}\n"
    assert plan.removal.steps[0].operation.volumes


def test_a_running_dependency_is_checked_all_the_same() -> None:
    assert "wait for db: healthy: web depends on it\n" in render_plan(run().before)


def test_without_dependencies_only_its_own_networks_and_volumes_are_made() -> None:
    plan = render_plan(run(empty_snapshot(STACK), dependencies=False).before)
    assert "db" not in plan
    assert "create network p_default" in plan


def test_it_is_labelled_as_a_one_off_with_its_slug() -> None:
    operation = created(run())
    assert operation.labels["com.docker.compose.oneoff"] == "True"
    assert operation.labels["com.docker.compose.slug"] == SLUG
    assert operation.image == "web"


def test_only_name_changes_its_name() -> None:
    assert run(name="job").name == "job"
    assert created(run(name="job")).name == "job"
    assert created(run()).service.container_name == ""


def test_the_service_is_neither_restarted_nor_published_nor_multiplied() -> None:
    oneoff = apply_run_options(replace(WEB, replicas=3), options())
    assert (oneoff.restart, oneoff.ports, oneoff.replicas) == (RestartPolicy(), (), 1)
    assert oneoff.command == ("serve",)
    assert oneoff.entrypoint == ("app",)


def test_ports_are_those_of_the_service_or_those_given() -> None:
    port = Port(target=81, published="8081")
    assert apply_run_options(WEB, options(service_ports=True)).ports == WEB.ports
    assert apply_run_options(WEB, options(ports=(port,))).ports == (port,)


def test_a_command_replaces_the_services_and_an_entrypoint_drops_it() -> None:
    assert apply_run_options(WEB, options(command=("ls", "-l"))).command == ("ls", "-l")
    bare = apply_run_options(WEB, options(entrypoint=("sh",)))
    assert (bare.entrypoint, bare.command) == (("sh",), ())
    both = apply_run_options(WEB, options(entrypoint=("sh",), command=("-c", "ls")))
    assert (both.entrypoint, both.command) == (("sh",), ("-c", "ls"))


def test_variables_and_labels_are_laid_over_the_services() -> None:
    oneoff = apply_run_options(
        WEB, options(environment={"B": "3", "C": "4", "D": None}, labels={"a": "c"})
    )
    assert oneoff.environment == {"A": "1", "B": "3", "C": "4"}
    assert oneoff.labels == {"a": "c"}


def test_user_folder_terminal_and_volumes_are_what_was_asked_for() -> None:
    extra = Mount(type="bind", source="/src", target="/src")
    oneoff = apply_run_options(
        WEB, options(user="0", working_dir="/tmp", tty=True, interactive=False, volumes=(extra,))
    )
    assert (oneoff.user, oneoff.working_dir, oneoff.tty, oneoff.stdin_open) == (
        "0",
        "/tmp",
        True,
        False,
    )
    assert oneoff.volumes == (DATA, extra)
    kept = apply_run_options(WEB, options())
    assert (kept.user, kept.working_dir, kept.stdin_open) == ("www", "/srv", True)


def test_a_capability_that_is_added_is_not_dropped_and_the_other_way_round() -> None:
    oneoff = apply_run_options(WEB, options(cap_add=("KILL",), cap_drop=("SYS_TIME",)))
    assert oneoff.cap_add == ("NET_ADMIN", "KILL")
    assert oneoff.cap_drop == ("CHOWN", "SYS_TIME")


def test_it_answers_to_no_alias_unless_asked_to() -> None:
    assert apply_run_options(WEB, options()).networks["default"] == NetworkAttachment(priority=3)
    named = apply_run_options(WEB, options(use_aliases=True)).networks["default"]
    assert named.aliases == ("web", "www")


def test_a_service_that_is_not_there_is_named() -> None:
    with pytest.raises(NoSuchService):
        plan_run(STACK, UP, RunOptions(service="nope", slug=SLUG))


def test_it_waits_for_owners_of_namespaces_and_volumes() -> None:
    side = service("side", ["db"], network_mode="service:db", volumes_from=("db",))
    plan = plan_run(
        project(side, service("db")),
        empty_snapshot(project(side, service("db"))),
        RunOptions(service="side", slug=SLUG),
    )
    assert render_plan(plan.before).splitlines()[-2:] == [
        "5 create container p-side-run-0123456789ab: run (after 2)",
        "6 prepare container p-side-run-0123456789ab (after 4, 5)",
    ]


def test_a_volume_that_only_the_command_line_names_is_made_and_is_nobodys() -> None:
    undeclared = Mount(type="volume", source="mine", target="/mine")
    declared = Mount(type="volume", source="data", target="/again")
    steps = run(volumes=(undeclared, declared)).before.steps
    creations = [
        step.operation for step in steps if step.operation.describe().startswith("create volume")
    ]
    assert [(one.volume.name, one.volume.external) for one in creations] == [
        ("p_data", False),
        ("mine", True),
    ]
    after = {one.number for one in steps if one.operation in creations}
    assert after <= set(next(s.after for s in steps if isinstance(s.operation, CreateContainer)))
    other = Mount(type="volume", source="spare", target="/spare")
    spare = project(WEB, service("db"), volumes=("data", "spare"))
    plan = plan_run(spare, UP, options(volumes=(other,)))
    assert "create volume p_spare: not found" in render_plan(plan.before)
    there = replace(UP, volumes={**UP.volumes, "mine": ObservedVolume(name="mine")})
    again = run(there, volumes=(undeclared,)).before
    assert "create volume mine" not in render_plan(again)
