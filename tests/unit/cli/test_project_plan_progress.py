"""A dry run shows the progress that the steps of a plan would have."""

from typing import get_args

from cntnr_compose.cli.project.plan_progress import WORDS, list_progress
from cntnr_compose.model.plan import (
    CreateContainer,
    Operation,
    PauseContainer,
    Plan,
    PrepareContainer,
    RemoveContainer,
    StartContainer,
    Step,
    StopContainer,
    WaitFor,
)
from tests.unit.cli.factories import service


def lines(*steps: tuple[Operation, tuple[int, ...]]) -> list[str]:
    plan = Plan(
        steps=tuple(
            Step(number=number, operation=operation, after=after)
            for number, (operation, after) in enumerate(steps, start=1)
        )
    )
    return [
        f"{event.name} {event.status} {event.state} {event.detail}".strip()
        for event in list_progress(plan)
    ]


def create(name: str, **more: str) -> CreateContainer:
    return CreateContainer(name=name, service=service(name), image="x", config_hash="", **more)


def wait(condition: str) -> WaitFor:
    return WaitFor(service="db", containers=("db-1", "db-2"), condition=condition)


def test_every_operation_has_words() -> None:
    assert set(get_args(Operation)) == {*WORDS, WaitFor}


def test_steps_that_wait_for_others_come_later() -> None:
    assert lines(
        (create("db"), ()),
        (PrepareContainer(name="db"), (1,)),
        (StartContainer(name="db"), (2,)),
        (create("web"), ()),
    ) == [
        "db Creating working",
        "db Created done",
        "web Creating working",
        "web Created done",
        "db Starting working",
        "db Started done",
    ]


def test_the_reason_of_a_recreation_is_shown() -> None:
    assert lines((create("db", replaces="abc", cause="configuration changed"), ())) == [
        "db Recreate working configuration changed",
        "db Recreated done",
    ]


def test_conditions_are_met() -> None:
    assert lines((wait("service_started"), ())) == []
    assert lines((wait("service_completed_successfully"), ()))[::2] == [
        "db-1 Waiting working",
        "db-2 Waiting working",
    ]
    assert lines((wait("service_completed_successfully"), ()))[1] == "db-1 Exited done"
    assert lines((wait("running_or_healthy"), ()))[1] == "db-1 Healthy done"


def test_what_stands_still_or_goes_is_named() -> None:
    assert lines((PauseContainer(name="a"), ()), (StopContainer(name="b"), ())) == [
        "a Paused done",
        "b Stopping working",
        "b Stopped done",
    ]
    assert lines((RemoveContainer(name="a"), ()))[1] == "a Removed done"
