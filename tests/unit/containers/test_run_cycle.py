"""Steps of a run: set up, start, end, restart, deletion; and what failures of them leave."""

import asyncio

import pytest

from cntnr_compose.containers import health_monitor, setup
from cntnr_compose.core.events import ignore_event
from cntnr_compose.model.observed import Status
from tests.unit.containers.machine import (
    Broken,
    Machine,
    Play,
    until,
    until_state,
    written,
)


@pytest.mark.parametrize("word", ["created", "exited"])
def test_an_undone_preparation_leaves_the_container_as_before(play: Play, word: str) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(Status(state=word, exit_code=3))
        await container.prepare(ignore_event)
        await container.undo_prepare()
        assert (container.state, container.status.state) == (word, word)
        assert (container.status.pid, container.status.exit_code) == (0, 3)
        await container.undo_prepare()  # nothing to undo
        assert machine.actions() == []
        await container.start(ignore_event)
        assert container.state == "running"

    play(scenario)


@pytest.mark.parametrize("word", ["created", "exited"])
@pytest.mark.parametrize("step", ["set_up", "publish", "start"])
def test_a_failed_start_leaves_the_container_as_before(play: Play, step: str, word: str) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(Status(state=word))
        machine.fails.add(step)
        with pytest.raises(Broken):
            await container.start(ignore_event)
        assert (container.state, written(container).state) == (word, word)
        assert container.status.pid == 0
        assert machine.calls[-1] == ("undo_set_up" if step == "set_up" else "tear_down")
        assert container.status.error == ("" if step == "set_up" else f"{step} failed")
        machine.fails.clear()
        await container.start(ignore_event)
        assert container.state == "running"

    play(scenario)


@pytest.mark.parametrize("step", ["set_up", "publish", "start"])
def test_a_cancelled_start_leaves_the_container_as_before(play: Play, step: str) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container()
        machine.blocks[step] = asyncio.Event()
        start = asyncio.create_task(container.start(ignore_event))
        await until_state(container, "preparing" if step == "set_up" else "starting")
        await until(lambda: step in machine.calls)
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start
        assert container.state == "created"

    play(scenario)


def test_a_program_may_end_before_runc_start_returns(
    play: Play,
) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container()
        machine.blocks["start"] = asyncio.Event()
        start = asyncio.create_task(container.start(ignore_event))
        await until(lambda: "start" in machine.calls)
        machine.die(3)
        await asyncio.sleep(0.01)
        assert container.state == "starting"
        machine.blocks["start"].set()
        await start
        await until_state(container, "exited")
        assert (container.status.exit_code, machine.actions()) == (3, ["start", "die"])

    play(scenario)


def test_a_prepared_container_with_other_mount_sources_is_prepared_again(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container()
        await container.prepare(ignore_event)
        machine.sources = ((2,),)
        await container.start(ignore_event)
        assert machine.calls.count("set_up") == 2

    play(scenario)


def test_the_restart_policy_starts_a_container_again(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(restart="always")
        await container.start(ignore_event)
        machine.die(1)
        await until_state(container, "restarting")
        assert (written(container).state, written(container).holder) == ("restarting", "1-2")
        await until_state(container, "running")
        await until(lambda: container.status.restarts == 1 and len(machine.events) == 4)
        assert machine.actions() == ["start", "die", "start", "restart"]
        assert machine.events[1].attributes["restarting"] == "1"

    play(scenario)


def test_a_failed_automatic_start_is_not_repeated(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(restart="always")
        await container.start(ignore_event)
        machine.fails.add("publish")
        machine.die(1)
        await until_state(container, "exited")
        assert (container.status.error, container.status.restarts) == ("publish failed", 1)
        await asyncio.sleep(0.05)
        assert container.state == "exited"

    play(scenario)


@pytest.mark.parametrize("is_automatic", [True, False])
def test_a_restart_that_cannot_be_prepared_is_given_up(play: Play, *, is_automatic: bool) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(restart="always")
        await container.start(ignore_event)
        machine.fails.add("set_up")
        machine.die(1)
        await until_state(container, "restarting")
        if not is_automatic:
            with pytest.raises(Broken):
                await container.start(ignore_event)
        await until_state(container, "exited")
        await asyncio.sleep(0.05)
        assert (container.state, written(container).state) == ("exited", "exited")

    play(scenario)


def test_a_failed_hook_of_an_automatic_start_does_not_end_the_run(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(restart="always", hooks=True)
        await container.start(ignore_event)
        machine.fails.add("post_start")
        machine.die(1)
        await until(lambda: container.status.error)
        assert (container.state, container.status.state) == ("running", "running")
        await container.stop(ignore_event)
        assert container.state == "exited"

    play(scenario)


def test_a_failed_removal_can_be_repeated(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(machine: Machine) -> None:
        def fail(*_words: object, **_more: object) -> None:
            raise Broken("remove")

        container = machine.container(Status(state="exited"))
        with monkeypatch.context() as patch:
            patch.setattr(setup, "remove_files", fail)
            with pytest.raises(Broken):
                await container.remove(ignore_event, volumes=False)
        assert container.state == "exited"
        await container.remove(ignore_event, volumes=False)
        assert container.state == "removed"

    play(scenario)


def test_an_auto_remove_container_is_removed_when_it_ends(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(oneoff=True, auto_remove=True)
        await container.start(ignore_event)
        machine.die()
        await until_state(container, "removed")
        assert machine.context.containers == {}

    play(scenario)


def test_health_is_monitored_from_start_to_end(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(machine: Machine) -> None:
        monkeypatch.setattr(health_monitor, "has_healthcheck", lambda _container: True)
        container = machine.container()
        await container.start(ignore_event)
        assert container.status.health == "starting"
        await asyncio.sleep(0)
        assert "monitor_health" in machine.calls
        await container.stop(ignore_event)
        assert container.status.health == ""

    play(scenario)
