"""Operations for pre_start hooks: when they run, and what their containers are created from."""

from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import Container, Record, Status
from cntnr_compose.model.plan import RunPreStart, render_plan
from cntnr_compose.model.service import Healthcheck, Hook, NetworkAttachment, Port
from tests.unit.reconcile.world import (
    DATA,
    changed,
    expect,
    is_up,
    project,
    service,
    up,
    with_status,
)

HOOKS = (Hook(command=("one",)), Hook(command=("two",), image="tool", user="root"))
WEB = service(
    "web",
    attached=(),
    volumes=(DATA,),
    pre_start=HOOKS,
    environment={"A": "1"},
    ports=(Port(target=80),),
    entrypoint=("main",),
)
SHOP = project(service("db", attached=()), replace(WEB, replicas=2), volumes=("data",))


def runs(plan) -> list[RunPreStart]:
    return [step.operation for step in plan.steps if isinstance(step.operation, RunPreStart)]


def test_hooks_run_in_order_before_the_first_start() -> None:
    expect(
        up(project(WEB)),
        """\
        1 create volume p_data: not found
        2 create container p-web-1: not found (after 1)
        3 prepare container p-web-1 (after 2)
        4 run pre_start[0] of service web: p-web-1 starts for the first time (after 3)
        5 run pre_start[1] of service web: p-web-1 starts for the first time (after 4)
        6 start container p-web-1: created by 2 (after 5)
        """,
    )


def test_hooks_run_once_and_again_when_all_is_recreated() -> None:
    assert len(runs(up(SHOP))) == 2
    observed = is_up(SHOP)
    assert runs(up(SHOP, observed)) == []
    assert runs(up(SHOP, observed, scale={"web": 3})) == []
    assert len(runs(up(changed(SHOP, "web"), observed))) == 2
    assert len(runs(up(SHOP, observed, recreate="force"))) == 2
    stopped = with_status(observed, "p-web-1", state="exited", started=5)
    assert runs(up(SHOP, stopped)) == []


def test_hooks_run_again_where_the_service_was_never_started() -> None:
    created = is_up(SHOP)
    for name in ("p-web-1", "p-web-2"):
        created = with_status(created, name, state="created", started=0)
    assert len(runs(up(SHOP, created))) == 2
    assert runs(up(SHOP, created, start=False)) == []


def test_what_a_hook_has_left_goes_unless_the_hook_runs_again() -> None:
    observed = is_up(project(WEB))
    hook = runs(up(project(WEB)))[1].container
    left = Container(
        record=Record(
            id="id99", name=hook.name, project="p", service="web", oneoff=True, hook=hook.hook,
            definition=hook.service,
        ),
        status=Status(state="exited", exit_code=1),
    )  # fmt: skip
    observed = replace(observed, containers=(*observed.containers, left))
    removal = "remove container p-web-pre_start-1: its hook runs no more"
    assert removal in render_plan(up(project(WEB), observed))
    assert up(project(WEB), observed).warnings == ()  # it is no orphan
    again = up(project(WEB), observed, recreate="force")
    assert removal not in render_plan(again)
    assert len(runs(again)) == 2
    one_hook = replace(WEB, pre_start=HOOKS[:1])
    assert removal in render_plan(up(project(one_hook), observed, recreate="force"))


def test_the_container_of_a_hook_is_like_the_service_but_for_what_the_hook_says() -> None:
    first, second = (run.container for run in runs(up(SHOP)))
    assert (first.name, first.image, first.oneoff) == ("p-web-pre_start-0", "web", True)
    assert (first.hook, second.hook) == ("pre_start[0]", "pre_start[1]")
    assert (second.image, second.service.user, second.service.command) == ("tool", "root", ("two",))
    assert second.service.volumes_from == ("container:p-web-1",)
    assert second.service.environment == {"A": "1"}
    assert (second.service.ports, second.service.entrypoint, second.service.volumes) == (
        (),
        None,
        (),
    )
    assert second.service.healthcheck == Healthcheck(disable=True)
    assert first.labels["com.docker.compose.hook"] == "pre_start"
    assert "com.docker.compose.container-number" not in first.labels


def test_the_container_of_a_hook_has_no_address_nor_name_of_the_service() -> None:
    attachment = NetworkAttachment(aliases=("www",), ipv4_address="10.0.0.5", priority=3)
    web = replace(service("web", pre_start=HOOKS[:1]), networks={"default": attachment})
    (run,) = runs(up(project(web)))
    assert run.container.service.networks == {"default": NetworkAttachment(priority=3)}
