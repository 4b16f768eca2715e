"""Transitions of a container and what of them is written."""

import asyncio
import errno
from pathlib import Path

import pytest

from cntnr_compose.containers.state import records
from cntnr_compose.containers.state.container_state import ContainerState
from cntnr_compose.containers.state.lifecycle import (
    ACTIVE,
    LifecycleEvent,
    LifecycleState,
    TransitionInvalid,
)
from cntnr_compose.core import paths
from cntnr_compose.host import files
from cntnr_compose.model.observed import Record, Status
from cntnr_compose.model.service import Service


class Changes:
    """Count the changes that a container reports."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def changes() -> Changes:
    files.remove_tree(paths.data())
    return Changes()


def container(
    changes: Changes, *, status: Status | None = None, oneoff: bool = False
) -> ContainerState:
    record = Record(
        id="a" * 64,
        name="p-web-1",
        project="p",
        service="web",
        definition=Service(name="web"),
        oneoff=oneoff,
    )
    records.write_record(record)
    return ContainerState(record, status or Status(), changes)


def test_only_settled_states_are_written(changes: Changes) -> None:
    state = container(changes)
    state.transition(LifecycleEvent.PREPARE)
    assert (state.state, state.status.state, changes.count) == ("preparing", "created", 0)
    state.transition(LifecycleEvent.PREPARED, pid=7)
    state.transition(LifecycleEvent.START)
    assert (state.state, records.read_status(state.record)) == ("starting", Status(pid=7))
    state.transition(LifecycleEvent.STARTED)
    assert records.read_status(state.record).state == "running"
    assert changes.count == 2


def test_what_fails_goes_back_to_the_settled_state(changes: Changes) -> None:
    state = container(changes, status=Status(state="exited"))
    state.transition(LifecycleEvent.PREPARE)
    state.transition(LifecycleEvent.FAIL)
    assert (state.state, changes.count) == ("exited", 0)


def test_an_impossible_transition_changes_nothing(changes: Changes) -> None:
    state = container(changes)
    with pytest.raises(TransitionInvalid, match="a container that is created cannot end"):
        state.transition(LifecycleEvent.END, exit_code=1)
    assert (state.state, state.status) == (LifecycleState.CREATED, Status())


def test_waiting_ends_in_a_state_that_is_none_of_those(changes: Changes) -> None:
    async def scenario() -> None:
        state = container(changes)
        await state.wait_while(ACTIVE)
        state.transition(LifecycleEvent.REMOVE)
        waiting = asyncio.create_task(state.wait_while(ACTIVE))
        await asyncio.sleep(0)
        assert not waiting.done()
        state.transition(LifecycleEvent.REMOVED)
        await waiting

    asyncio.run(scenario())


def test_on_a_full_disk_the_status_in_memory_counts(
    changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_words: object, **_more: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    state = container(changes, status=Status(state="running", pid=7))
    monkeypatch.setattr(records, "write_status", fail)
    state.write(pid=0)
    assert (state.status.pid, changes.count) == (0, 1)


def test_the_client_of_a_one_off_reads_its_exit_code(changes: Changes) -> None:
    state = container(changes, status=Status(state="running"), oneoff=True)
    exit_file: Path = records.exit_file(state.record)
    state.write(pid=7, exit_code=1)
    assert exit_file.read_text() == ""
    state.transition(LifecycleEvent.END)
    state.transition(LifecycleEvent.EXIT, exit_code=3)
    assert exit_file.read_text() == "3\n"
