"""Which containers are kept, created, recreated, started and removed, and why."""

from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import Observed
from cntnr_compose.model.plan import render_plan
from cntnr_compose.model.project import FileSource, Project
from cntnr_compose.model.service import FileMount
from tests.unit.reconcile.world import (
    PAIR,
    changed,
    creations,
    empty_snapshot,
    expect,
    is_up,
    project,
    service,
    snapshot_after,
    up,
    with_service,
    with_status,
)


def test_a_changed_definition_recreates_only_that_container() -> None:
    expect(
        up(changed(PAIR, "web"), is_up(PAIR), timeout=3),
        """\
        1 recreate container p-web-1: configuration changed
        2 prepare container p-web-1 (after 1)
        3 start container p-web-1: recreated by 1 (after 2)
        """,
    )


def test_changed_sources_of_configs_and_secrets_recreate() -> None:
    def using(content: str | None, file: str = "/a") -> Project:
        uses = {
            "configs": (FileMount(source="page"), FileMount(source="live")),
            "secrets": (FileMount(source="list", mode=0o400),),
        }
        return replace(
            project(service("web", **uses), service("db")),
            configs={
                "page": FileSource(key="page", content=content),
                "live": FileSource(key="live", file=file),
            },
            secrets={"list": FileSource(key="list", file="/list")},
        )

    def causes(desired: Project, observed: Observed, digest: str = "1") -> list[str]:
        observed = replace(observed, file_digests={"/list": digest} if digest else {})
        return [f"{one.name}: {one.cause}" for one in creations(up(desired, observed))]

    before = replace(empty_snapshot(using("a")), file_digests={"/list": "1", "/a": "1"})
    observed = snapshot_after(up(using("a"), before), using("a"), before)
    assert causes(using("a"), observed) == []
    assert causes(using("b"), observed) == ["p-web-1: config page changed"]
    assert causes(using(None), observed) == []  # its variable is not set now
    assert causes(using("a", "/b"), observed) == ["p-web-1: config live changed"]
    assert causes(using("a"), observed, "2") == ["p-web-1: secret list changed"]
    assert causes(using("a"), observed, "") == []  # the file cannot be read now
    older = [replace(one, record=replace(one.record, sources={})) for one in observed.containers]
    assert causes(using("b"), replace(observed, containers=tuple(older))) == []


def test_a_newer_image_recreates() -> None:
    observed = is_up(PAIR)
    newer = replace(observed, images={**observed.images, "db": "sha256:new"})
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
    observed = is_up(PAIR)
    assert "forced" in render_plan(up(PAIR, observed, recreate="force", selected=("web",)))
    assert "db" not in render_plan(up(PAIR, observed, recreate="force", selected=("web",)))
    both = render_plan(
        up(PAIR, observed, recreate="force", recreate_dependencies="force", selected=("web",))
    )
    assert "recreate container p-db-1: forced" in both


def test_no_recreate_leaves_what_runs_as_it_is() -> None:
    plan = up(changed(PAIR, "web", "db"), is_up(PAIR), recreate="never")
    assert (plan.steps, plan.unchanged) == ((), ("p-web-1", "p-db-1"))


def test_what_is_about_to_restart_is_left() -> None:
    assert up(PAIR, with_status(is_up(PAIR), "p-db-1", state="restarting")).steps == ()


def test_what_is_paused_is_started_which_fails_as_in_docker() -> None:
    plan = up(PAIR, with_status(is_up(PAIR), "p-db-1", state="paused"))
    assert "start container p-db-1: paused" in render_plan(plan)


def test_half_removed_containers_are_made_anew() -> None:
    plan = up(PAIR, with_status(is_up(PAIR), "p-db-1", state="dead"))
    assert "1 recreate container p-db-1: half removed\n" in render_plan(plan)


def test_a_container_that_misses_a_network_is_recreated() -> None:
    observed = is_up(PAIR)
    bare = tuple(
        replace(container, record=replace(container.record, networks={}))
        if container.name == "p-web-1"
        else container
        for container in observed.containers
    )
    plan = render_plan(up(PAIR, replace(observed, containers=bare)))
    assert "1 recreate container p-web-1: not attached to network p_default\n" in plan


def test_a_container_that_misses_a_volume_is_recreated() -> None:
    renamed = replace(PAIR, volumes={"data": replace(PAIR.volumes["data"], name="other")})
    plan = render_plan(up(renamed, is_up(PAIR)))
    assert "1 create volume other: not found\n" in plan
    assert "2 recreate container p-db-1: volume other not mounted (after 1)\n" in plan


def numbers(plan) -> list[int]:
    return [one.number for one in creations(plan)]


def test_scaling_up_goes_on_after_the_highest_number() -> None:
    observed = is_up(PAIR, scale={"web": 3})
    gap = replace(
        observed, containers=tuple(one for one in observed.containers if one.name != "p-web-2")
    )
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
    observed = is_up(PAIR, scale={"web": 2})
    old = tuple(
        replace(container, record=replace(container.record, config_hash="old"))
        if container.name == "p-web-1"
        else container
        for container in observed.containers
    )
    plan = up(PAIR, replace(observed, containers=old))
    assert "remove container p-web-1: scaled down to 1" in render_plan(plan)
    assert "p-web-2" in plan.unchanged


def test_replicas_of_the_file_count_and_none_means_none() -> None:
    assert numbers(up(with_service(PAIR, "web", replicas=3))) == [1, 1, 2, 3]
    plan = up(with_service(PAIR, "web", replicas=0), is_up(PAIR))
    assert "2 remove container p-web-1: scaled down to 0 (after 1)\n" in render_plan(plan)
