"""Commands on a container in each state, and its adoption by a later supervisor."""

import asyncio
import signal

import pytest

from cntnr_compose.containers import managed, stop
from cntnr_compose.core import paths
from cntnr_compose.core.events import Event, Progress, ignore_event
from cntnr_compose.model.observed import Status
from tests.unit.containers.machine import (
    BORN,
    PID,
    Machine,
    Play,
    until_state,
    written,
)


def test_a_container_is_prepared_started_and_stopped(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container()
        await container.prepare(ignore_event)
        assert (container.state, container.status.state) == ("prepared", "created")
        assert (container.status.pid, container.status.holder) == (PID, "1-2")
        await container.prepare(ignore_event)  # again: fine
        await container.start(ignore_event)
        assert (container.state, written(container).state) == ("running", "running")
        await container.start(ignore_event)  # again: fine
        await container.stop(ignore_event)
        assert (container.state, written(container).state) == ("exited", "exited")
        assert (container.status.pid, container.status.exit_code) == (0, 143)
        assert container.status.stopped_by_user
        assert machine.calls == [
            "set_up", "unpublish", "publish", "start", "SIGTERM", "tear_down",
        ]  # fmt: skip
        assert machine.actions() == ["start", "die", "stop"]

    play(scenario)


def test_a_start_waits_until_the_last_run_is_torn_down(
    play: Play,
) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container()
        await container.start(ignore_event)
        machine.blocks["tear_down"] = asyncio.Event()
        machine.die()
        await until_state(container, "ending")
        start = asyncio.create_task(container.start(ignore_event))
        await asyncio.sleep(0.01)
        assert not start.done()
        machine.blocks.pop("tear_down").set()
        await start
        assert (container.state, machine.calls.count("set_up")) == ("running", 2)

    play(scenario)


def test_an_early_preparation_needs_all_mount_sources(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container()
        machine.sources = ((),)
        await container.prepare(ignore_event, early=True)
        assert container.state == "created"
        machine.sources = ((1,),)
        await container.prepare(ignore_event, early=True)
        assert container.state == "prepared"

    play(scenario)


def test_a_stop_during_the_restart_delay_cancels_the_restart(
    play: Play,
) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(restart="always")
        await container.start(ignore_event)
        machine.die(1)
        await until_state(container, "restarting")
        await container.stop(ignore_event)
        assert (container.state, container.status.stopped_by_user) == ("exited", True)
        await asyncio.sleep(0.05)
        assert container.state == "exited"

    play(scenario)


def test_a_stop_during_the_tear_down_prevents_the_restart(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(restart="always", pre_stop=True)
        await container.start(ignore_event)
        machine.blocks["tear_down"] = asyncio.Event()
        machine.die(1)
        await until_state(container, "ending")
        stop = asyncio.create_task(container.stop(ignore_event))
        await asyncio.sleep(0.01)
        machine.blocks.pop("tear_down").set()
        await stop
        assert (container.state, "pre_stop" in machine.calls) == ("exited", False)

    play(scenario)


def test_the_die_event_says_whether_a_start_follows(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(restart="always", pre_stop=True)
        await container.start(ignore_event)
        await container.stop(ignore_event, will_restart=True)
        assert container.state == "exited"
        assert machine.calls[-3:] == ["pre_stop", "SIGTERM", "tear_down"]
        die = machine.events[1]
        assert (die.action, die.attributes["restarting"]) == ("die", "1")
        await container.start(ignore_event)
        await container.stop(ignore_event)
        assert "restarting" not in machine.events[4].attributes

    play(scenario)


def test_a_container_that_outlives_its_grace_period_is_killed(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container()
        await container.start(ignore_event)
        machine.ignores.add(signal.SIGTERM)
        await container.stop(ignore_event, 0.01)
        assert machine.calls[-3:] == ["SIGTERM", "SIGKILL", "tear_down"]
        assert container.status.exit_code == 137

    play(scenario)


def test_a_stop_that_failed_can_be_repeated(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(machine: Machine) -> None:
        monkeypatch.setattr(stop, "KILL_TIMEOUT", 0.01)
        container = machine.container(restart="always")
        await container.start(ignore_event)
        machine.ignores |= {signal.SIGTERM, signal.SIGKILL}
        with pytest.raises(stop.StopFailed):
            await container.stop(ignore_event, 0)
        assert (container.state, container.status.stopped_by_user) == ("running", True)
        machine.ignores.clear()
        await container.stop(ignore_event, 0)
        assert container.state == "exited"

    play(scenario)


@pytest.mark.parametrize("word", ["created", "exited"])
def test_stop_and_kill_of_a_container_that_does_not_run_do_nothing(play: Play, word: str) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(Status(state=word))
        events: list[Event] = []
        await container.kill(events.append, "SIGKILL")
        await container.stop(events.append, will_restart=True)
        await container.stop(events.append)
        words = [event.status for event in events if isinstance(event, Progress)]
        assert (container.state, machine.calls) == (word, [])
        assert words == ["Restarting", "Stopping", "Stopped"]

    play(scenario)


def test_a_prepared_container_is_stopped_without_hooks_and_grace_period(
    play: Play,
) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(pre_stop=True)
        await container.prepare(ignore_event)
        await container.stop(ignore_event)
        assert (container.state, container.status.state) == ("created", "created")
        assert machine.calls == ["set_up", "SIGKILL", "tear_down"]

    play(scenario)


def test_only_sigkill_prevents_the_restart(
    play: Play,
) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(restart="always")
        await container.start(ignore_event)
        await container.kill(ignore_event, "SIGTERM")
        await until_state(container, "restarting")
        await until_state(container, "running")
        await container.kill(ignore_event, "KILL")
        assert (container.state, container.status.exit_code) == ("exited", 137)
        assert machine.actions()[-2:] == ["die", "kill"]

    play(scenario)


@pytest.mark.parametrize("state", ["created", "prepared", "running", "restarting", "exited"])
def test_a_container_can_be_removed_in_each_state(play: Play, state: str) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(restart="always" if state == "restarting" else "no")
        if state == "prepared":
            await container.prepare(ignore_event)
        elif state != "created":
            await container.start(ignore_event)
        if state in ("restarting", "exited"):
            machine.die(1)
        await until_state(container, state)
        await container.remove(ignore_event, volumes=True)
        assert container.state == "removed"
        assert machine.context.containers == {}
        assert managed.records.read_containers("p") == []
        assert machine.actions()[-1] == "destroy"
        await container.remove(ignore_event, volumes=True)  # again: fine
        assert machine.actions().count("destroy") == 1

    play(scenario)


def test_an_auto_remove_container_that_was_not_started_goes_with_its_client(
    play: Play,
) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(auto_remove=True)
        await container.prepare(ignore_event)
        await container.remove_if_unstarted()
        assert container.state == "removed"
        other = machine.container(auto_remove=True)
        await other.start(ignore_event)
        await other.remove_if_unstarted()
        assert other.state == "running"

    play(scenario)


@pytest.mark.parametrize(
    ("word", "pid", "is_started", "restart", "expected"),
    [
        ("created", 0, False, "no", "created"),
        ("created", PID, False, "no", "prepared"),
        ("created", PID, True, "no", "running"),
        ("exited", PID, True, "no", "running"),
        ("running", PID, True, "no", "running"),
        ("restarting", 0, False, "no", "exited"),
        ("restarting", 0, False, "always", "running"),
        ("restarting", PID, True, "always", "running"),
        ("restarting", PID, False, "always", "running"),
    ],
)
def test_a_later_supervisor_continues_from_the_status(
    play: Play, word: str, pid: int, is_started: bool, restart: str, expected: str
) -> None:
    async def scenario(machine: Machine) -> None:
        machine.is_started = is_started
        status = Status(state=word, pid=pid, born=BORN if pid else 0, restarts=1, started=1)
        container = machine.container(status, restart=restart)
        await container.adopt()
        await until_state(container, expected)
        assert container.status.state == ("created" if expected == "prepared" else expected)

    play(scenario)


@pytest.mark.parametrize(
    ("word", "expected"), [("created", "created"), ("exited", "exited"), ("running", "exited")]
)
def test_a_later_supervisor_notes_the_end_of_a_run(play: Play, word: str, expected: str) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(Status(state=word, pid=PID, born=BORN))
        machine.die(9)
        await container.adopt()
        assert (container.state, container.status.pid) == (expected, 0)
        assert container.status.exit_code == (9 if word == "running" else 0)

    play(scenario)


def test_a_later_supervisor_removes_an_unfinished_set_up(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container()
        paths.bundle(container.record.id).mkdir(parents=True)
        await container.adopt()
        assert (container.state, machine.calls) == ("created", ["undo_set_up"])

    play(scenario)


@pytest.mark.parametrize(
    ("status", "stays"),
    [
        (Status(state="created"), False),
        (Status(state="running", pid=PID, born=BORN), False),
        (Status(state="exited", exit_code=0), False),
        (Status(state="exited", exit_code=3), True),
    ],
)
def test_a_later_supervisor_keeps_only_a_hook_that_failed(
    play: Play, status: Status, *, stays: bool
) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(status, oneoff=True, hook="pre_start[0]")
        await container.adopt()
        assert bool(machine.context.containers) is stays

    play(scenario)
