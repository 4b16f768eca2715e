"""A plan can be split, so that everything is made before the first container starts."""

from cntnr_compose.model.plan import (
    CreateContainer,
    CreateNetwork,
    Plan,
    StartContainer,
    StopContainer,
    render_plan,
    split_plan,
)
from cntnr_compose.model.project import Network
from cntnr_compose.model.service import Service
from cntnr_compose.reconcile.plan_builder import PlanBuilder


def create(name: str) -> CreateContainer:
    return CreateContainer(
        name=name, service=Service(name=name), image="x", config_hash="", cause=""
    )


def plan() -> Plan:
    draft = PlanBuilder()
    network = draft.add(CreateNetwork(network=Network(key="n", name="n"), config_hash=""))
    db = draft.add(create("db"), {network})
    started = draft.add(StartContainer(name="db"), {db})
    draft.add(create("web"), {network})
    late = draft.add(StopContainer(name="old"), {started})
    draft.add(create("new"), {late, network})
    draft.add_unchanged("cache")
    draft.warn("careful")
    return draft.build()


def test_the_first_half_needs_nothing_of_the_second() -> None:
    first, second = split_plan(plan(), (StartContainer,))
    assert render_plan(first) == (
        "1 create network n: not found\n"
        "2 create container db (after 1)\n"
        "4 create container web (after 1)\n"
    )
    assert render_plan(second) == (
        "3 start container db\n5 stop container old (after 3)\n6 create container new (after 5)\n"
    )


def test_what_is_said_is_said_with_the_first_half() -> None:
    first, second = split_plan(plan(), (StartContainer,))
    assert (first.unchanged, first.warnings) == (("cache",), ("careful",))
    assert (second.unchanged, second.warnings) == ((), ())


def test_a_plan_without_such_steps_is_all_first_half() -> None:
    whole = plan()
    assert split_plan(whole, ()) == (whole, Plan())
