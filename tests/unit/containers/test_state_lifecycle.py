"""States of a container: every transition, what an adopting supervisor makes of a status."""

import pytest

from cntnr_compose.containers.state.lifecycle import (
    ACTIVE,
    SET_UP,
    SETTLED,
    LifecycleEvent,
    LifecycleState,
    TransitionInvalid,
    adopted_state,
    next_state,
)
from cntnr_compose.model.listed import RUNNING_STATES
from cntnr_compose.model.observed import Status

# What may happen in each state and where it leads; "<" is back to the settled state before.
ALLOWED = {
    "created": "prepare: preparing, remove: removing",
    "preparing": "prepared: prepared, fail: <",
    "prepared": "start: starting, end: ending",
    "starting": "started: running, fail: prepared",
    "running": "pause: paused, end: ending",
    "paused": "unpause: running, end: ending",
    "ending": "reset: <, exit: exited, back off: restarting",
    "restarting": "prepare: preparing, give up: exited, remove: removing",
    "exited": "prepare: preparing, remove: removing",
    "removing": "removed: removed, fail: <",
    "removed": "",
}


def allowed(state: str) -> dict[str, str]:
    return dict(pair.split(": ") for pair in ALLOWED[state].split(", ") if pair)


@pytest.mark.parametrize("settled", ["created", "restarting", "exited"])
@pytest.mark.parametrize("event", LifecycleEvent)
@pytest.mark.parametrize("state", LifecycleState)
def test_each_event_leads_where_it_should_or_is_a_bug(
    state: LifecycleState, event: LifecycleEvent, settled: str
) -> None:
    expected = allowed(state).get(event)
    if expected is None:
        with pytest.raises(TransitionInvalid, match=f"a container that is {state} cannot {event}"):
            next_state(state, event, settled)
    else:
        assert next_state(state, event, settled) == expected.replace("<", settled)


def test_every_state_but_the_last_is_reached_and_left() -> None:
    reached = {target for state in LifecycleState for target in allowed(state).values()}
    assert reached - {"<"} | {Status().state} == set(LifecycleState)
    assert [state for state in LifecycleState if not allowed(state)] == ["removed"]


def test_states_with_a_word_of_dockers_are_written() -> None:
    assert {"created", "exited", *RUNNING_STATES} == SETTLED
    assert set(LifecycleState) - ACTIVE == {"created", "restarting", "exited", "removed"}
    assert {"preparing", "removing"} == ACTIVE - SET_UP


@pytest.mark.parametrize(
    ("word", "pid", "is_started", "has_bundle", "expected"),
    [
        ("created", 0, False, False, "created"),
        ("created", 0, False, True, "preparing"),
        ("created", 7, False, True, "prepared"),
        ("created", 7, True, True, "starting"),
        ("exited", 0, False, False, "exited"),
        ("exited", 0, False, True, "preparing"),
        ("exited", 7, False, True, "prepared"),
        ("exited", 7, True, True, "starting"),
        ("running", 7, False, True, "running"),
        ("running", 7, True, True, "running"),
        ("paused", 7, True, True, "paused"),
        ("restarting", 0, False, False, "ending"),
        ("restarting", 0, False, True, "ending"),
        ("restarting", 7, False, True, "prepared"),
        ("restarting", 7, True, True, "starting"),
    ],
)
def test_a_later_supervisor_sees_where_the_one_before_was(
    word: str, pid: int, is_started: bool, has_bundle: bool, expected: str
) -> None:
    status = Status(state=word, pid=pid)
    assert adopted_state(status, is_started=is_started, has_bundle=has_bundle) == expected
