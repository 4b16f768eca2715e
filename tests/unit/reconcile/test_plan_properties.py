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
    made = []
    for number in range(draw(st.integers(1, 6))):
        before = [one.name for one in made]
        names = draw(st.lists(st.sampled_from(before), unique=True, max_size=3)) if before else []
        more = {}
        if names and draw(st.booleans()):
            more["network_mode"] = f"service:{names[0]}"
        if draw(st.booleans()):
            more["volumes"] = (DATA,)
        needs = {name: draw(CONDITIONS) for name in names}
        more["replicas"] = draw(st.integers(0, 3))
        made.append(service(f"s{number}", needs, **more))
    return project(*draw(st.permutations(made)))


def edited(draw, of):
    """Change some services, and perhaps the network."""
    services = {
        name: replace(one, raw={**one.raw, "tty": True}) if draw(st.booleans()) else one
        for name, one in of.services.items()
    }
    internal = draw(st.booleans())
    network = replace(of.networks["default"], internal=internal)
    return replace(of, services=services, networks={"default": network})


def check(plan) -> None:
    assert [one.number for one in plan.steps] == list(range(1, len(plan.steps) + 1))
    assert all(max(one.after, default=0) < one.number for one in plan.steps)


@SLOW
@given(projects(), st.data())
def test_after_any_change_one_up_suffices(wanted, data) -> None:
    found = empty_snapshot(wanted)
    for _ in range(2):
        plan = plan_up(wanted, found)
        check(plan)
        found = snapshot_after(plan, wanted, found)
        assert plan_up(wanted, found).steps == ()
        assert len(found.containers) == sum(one.replicas for one in wanted.services.values())
        assert all(one.is_running for one in found.containers)
        wanted = edited(data.draw, wanted)


@SLOW
@given(projects(), st.data())
def test_up_of_some_services_repairs_what_it_breaks(wanted, data) -> None:
    found = snapshot_after(plan_up(wanted, empty_snapshot(wanted)), wanted, empty_snapshot(wanted))
    changed = edited(data.draw, wanted)
    chosen = tuple(data.draw(st.lists(st.sampled_from(list(wanted.services)), unique=True)))
    plan = plan_up(changed, found, UpOptions(selected=chosen))
    check(plan)
    assert all(one.is_running for one in snapshot_after(plan, changed, found).containers)


@SLOW
@given(projects(), st.data())
def test_nothing_is_started_before_it_was_made_nor_stopped_twice(wanted, data) -> None:
    found = snapshot_after(plan_up(wanted, empty_snapshot(wanted)), wanted, empty_snapshot(wanted))
    for one in found.containers:
        if data.draw(st.booleans()):
            found = with_status(found, one.name, state="exited")
    plan = plan_up(edited(data.draw, wanted), found)
    check(plan)
    names = {kind: [] for kind in (CreateContainer, StartContainer, StopContainer)}
    for one in plan.steps:
        if type(one.operation) in names:
            names[type(one.operation)].append(one.operation.name)
    for each in names.values():
        assert len(set(each)) == len(each)
    assert set(names[StopContainer]) <= {one.name for one in found.containers if one.is_running}


@SLOW
@given(projects(), st.booleans())
def test_down_leaves_nothing_and_stops_dependents_first(wanted, with_file) -> None:
    found = snapshot_after(plan_up(wanted, empty_snapshot(wanted)), wanted, empty_snapshot(wanted))
    options = teardown.DownOptions(volumes=True)
    plan = teardown.plan_down(wanted if with_file else None, found, options)
    check(plan)
    left = snapshot_after(plan, wanted, found)
    assert (left.containers, left.networks, left.volumes) == ((), {}, {})
    place = {one.operation.describe(): one.number for one in plan.steps}
    for one in found.containers:
        for other in found.containers:
            if other.record.service in one.record.definition.depends_on:
                first, then = f"stop container {one.name}", f"stop container {other.name}"
                assert place[first] < place[then]


@SLOW
@given(projects())
def test_restart_leaves_all_running(wanted) -> None:
    found = snapshot_after(plan_up(wanted, empty_snapshot(wanted)), wanted, empty_snapshot(wanted))
    plan = plan_restart(wanted, found)
    check(plan)
    assert all(one.is_running for one in snapshot_after(plan, wanted, found).containers)
