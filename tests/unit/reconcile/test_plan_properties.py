"""What holds for the plans of any project: no step waits for a later one, and one `up` suffices."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cntnr_compose.core.values import replace
from cntnr_compose.model.plan import CreateContainer, StartContainer, StopContainer
from cntnr_compose.reconcile import teardown
from cntnr_compose.reconcile.restart import plan_restart
from cntnr_compose.reconcile.up import UpOptions, plan_up
from tests.unit.reconcile.world import (
    COMPLETED,
    DATA,
    HEALTHY,
    STARTED,
    TIED,
    empty_snapshot,
    is_up,
    project,
    service,
    snapshot_after,
    with_status,
)

CONDITIONS = st.sampled_from([STARTED, HEALTHY, COMPLETED, TIED])
SLOW = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@st.composite
def projects(draw):
    """Draw a project in which each service may need any of those before it."""
    services = []
    for number in range(draw(st.integers(1, 6))):
        before = [one.name for one in services]
        names = draw(st.lists(st.sampled_from(before), unique=True, max_size=3)) if before else []
        more = {}
        if names and draw(st.booleans()):
            more["network_mode"] = f"service:{names[0]}"
        if draw(st.booleans()):
            more["volumes"] = (DATA,)
        needs = {name: draw(CONDITIONS) for name in names}
        more["replicas"] = draw(st.integers(0, 3))
        services.append(service(f"s{number}", needs, **more))
    return project(*draw(st.permutations(services)))


def edited(draw, desired):
    """Change some services, and perhaps the network."""
    services = {
        name: replace(definition, raw={**definition.raw, "tty": True})
        if draw(st.booleans())
        else definition
        for name, definition in desired.services.items()
    }
    internal = draw(st.booleans())
    network = replace(desired.networks["default"], internal=internal)
    return replace(desired, services=services, networks={"default": network})


def check(plan) -> None:
    assert [one.number for one in plan.steps] == list(range(1, len(plan.steps) + 1))
    assert all(max(one.after, default=0) < one.number for one in plan.steps)


@SLOW
@given(projects(), st.data())
def test_after_any_change_one_up_suffices(desired, data) -> None:
    observed = empty_snapshot(desired)
    for _ in range(2):
        plan = plan_up(desired, observed)
        check(plan)
        observed = snapshot_after(plan, desired, observed)
        assert plan_up(desired, observed).steps == ()
        assert len(observed.containers) == sum(one.replicas for one in desired.services.values())
        assert all(one.is_running for one in observed.containers)
        desired = edited(data.draw, desired)


@SLOW
@given(projects(), st.data())
def test_up_of_some_services_repairs_what_it_breaks(desired, data) -> None:
    observed = is_up(desired)
    changed = edited(data.draw, desired)
    chosen = tuple(data.draw(st.lists(st.sampled_from(list(desired.services)), unique=True)))
    plan = plan_up(changed, observed, UpOptions(selected=chosen))
    check(plan)
    assert all(one.is_running for one in snapshot_after(plan, changed, observed).containers)


@SLOW
@given(projects(), st.data())
def test_nothing_is_started_before_it_was_made_nor_stopped_twice(desired, data) -> None:
    observed = is_up(desired)
    for step in observed.containers:
        if data.draw(st.booleans()):
            observed = with_status(observed, step.name, state="exited")
    plan = plan_up(edited(data.draw, desired), observed)
    check(plan)
    names = {kind: [] for kind in (CreateContainer, StartContainer, StopContainer)}
    for step in plan.steps:
        if type(step.operation) in names:
            names[type(step.operation)].append(step.operation.name)
    for container_names in names.values():
        assert len(set(container_names)) == len(container_names)
    assert set(names[StopContainer]) <= {one.name for one in observed.containers if one.is_running}


@SLOW
@given(projects(), st.booleans())
def test_down_leaves_nothing_and_stops_dependents_first(desired, with_file) -> None:
    observed = is_up(desired)
    options = teardown.DownOptions(volumes=True)
    plan = teardown.plan_down(desired if with_file else None, observed, options)
    check(plan)
    remaining = snapshot_after(plan, desired, observed)
    assert (remaining.containers, remaining.networks, remaining.volumes) == ((), {}, {})
    place = {one.operation.describe(): one.number for one in plan.steps}
    for container in observed.containers:
        for other in observed.containers:
            if other.record.service in container.record.definition.depends_on:
                first, then = f"stop container {container.name}", f"stop container {other.name}"
                assert place[first] < place[then]


@SLOW
@given(projects())
def test_restart_leaves_all_running(desired) -> None:
    observed = is_up(desired)
    plan = plan_restart(desired, observed)
    check(plan)
    assert all(one.is_running for one in snapshot_after(plan, desired, observed).containers)
