"""A container is paused and goes on; other commands on one that is paused."""

import asyncio

import pytest

from cntnr_compose.containers.exec import ExecInPaused
from cntnr_compose.containers.pause import BY_SIGNALS, PauseRefused, StartOfPaused, is_unpaused_by
from cntnr_compose.core.events import Event, Progress, WarningEvent, ignore_event
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import Status
from cntnr_compose.model.protocol import PrepareExec
from cntnr_compose.supervisor.session import ClientSession
from tests.unit.containers.machine import BORN, PID, Broken, Machine, Play, until_state, written

PAUSED = Status(state="paused", holder="1-2", pid=PID, born=BORN, started=1)


def test_a_container_is_paused_and_goes_on(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container()
        await container.start(ignore_event)
        events: list[Event] = []
        await container.pause(events.append)
        assert (container.state, written(container).state) == ("paused", "paused")
        assert WarningEvent(text=BY_SIGNALS) in events
        with pytest.raises(PauseRefused, match="container p-web-1 is already paused"):
            await container.pause(ignore_event)
        with pytest.raises(StartOfPaused, match="cannot start a paused container"):
            await container.start(ignore_event)
        await container.unpause(events.append)
        assert (container.state, written(container).state) == ("running", "running")
        with pytest.raises(PauseRefused, match="container p-web-1 is not paused"):
            await container.unpause(ignore_event)
        told = [event.status for event in events if isinstance(event, Progress)]
        assert told == ["Paused", "Unpaused"]
        assert machine.calls[-2:] == ["freeze", "thaw"]
        assert machine.actions() == ["start", "pause", "unpause"]

    play(scenario)


def test_what_does_not_run_is_not_paused(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(restart="always")
        with pytest.raises(PauseRefused, match="container p-web-1 is not running"):
            await container.pause(ignore_event)
        container.record = replace(
            container.record,
            definition=replace(
                container.record.definition,
                restart=replace(container.record.definition.restart, delay=10),
            ),
        )
        await container.start(ignore_event)
        machine.die()
        await until_state(container, "restarting")
        with pytest.raises(PauseRefused, match="is restarting, wait until"):
            await container.pause(ignore_event)
        await container.stop(ignore_event)
        assert "freeze" not in machine.calls

    play(scenario)


def test_a_pause_that_fails_or_is_cancelled_is_undone(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container()
        await container.start(ignore_event)
        machine.fails.add("freeze")
        with pytest.raises(Broken):
            await container.pause(ignore_event)
        assert (container.state, written(container).state) == ("running", "running")
        machine.fails.clear()
        machine.blocks["freeze"] = asyncio.Event()
        pause = asyncio.create_task(container.pause(ignore_event))
        await until_state(container, "paused")
        pause.cancel()
        await asyncio.wait([pause])
        assert (container.state, machine.calls[-1]) == ("running", "thaw")

    play(scenario)


def test_one_that_ends_while_it_is_paused_is_not_called_paused(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container()
        await container.start(ignore_event)
        machine.blocks["freeze"] = asyncio.Event()
        pause = asyncio.create_task(container.pause(ignore_event))
        await until_state(container, "paused")
        machine.die(3)
        await until_state(container, "exited")
        machine.blocks["freeze"].set()
        with pytest.raises(PauseRefused, match="is not running"):
            await pause
        assert written(container).exit_code == 3

    play(scenario)


def test_a_stop_sends_the_signal_and_lets_it_go_on(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(pre_stop=True)
        await container.start(ignore_event)
        await container.pause(ignore_event)
        await container.stop(ignore_event)
        assert container.state == "exited"
        calls = machine.calls
        assert calls.index("thaw") < calls.index("pre_stop") < calls.index("SIGTERM")

    play(scenario)


@pytest.mark.parametrize("deed", ["kill", "remove"])
def test_a_paused_container_is_killed_at_once(play: Play, deed: str) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(PAUSED)
        await container.adopt()
        if deed == "kill":
            await container.kill(ignore_event, "SIGKILL")
            assert container.state == "exited"
        else:
            await container.remove(ignore_event, volumes=False)
            assert container.state == "removed"
        assert "SIGKILL" in machine.calls

    play(scenario)


@pytest.mark.parametrize(("stop_signal", "state"), [("", "running"), ("SIGINT", "paused")])
def test_other_signals_wait_where_a_stop_signal_is_set(
    play: Play, stop_signal: str, state: str
) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(PAUSED)
        machine.ignores.update(range(65))
        definition = replace(container.record.definition, stop_signal=stop_signal)
        container.record = replace(container.record, definition=definition)
        await container.adopt()
        await container.kill(ignore_event, "SIGHUP")
        assert container.state == state
        assert is_unpaused_by(container, 2)
        machine.die()
        await until_state(container, "exited")

    play(scenario)


def test_health_checks_run_only_while_it_is_not_paused(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "cntnr_compose.containers.health_monitor.has_healthcheck", lambda _container: True
    )

    async def scenario(machine: Machine) -> None:
        container = machine.container(PAUSED)
        await container.adopt()
        await asyncio.sleep(0)
        assert (container.state, machine.calls.count("monitor_health")) == ("paused", 0)
        await container.unpause(ignore_event)
        await asyncio.sleep(0)
        assert machine.calls.count("monitor_health") == 1
        await container.pause(ignore_event)
        await asyncio.sleep(0)
        names = [task.get_name() for task in asyncio.all_tasks()]
        assert "health of p-web-1" not in names
        machine.die()
        await until_state(container, "exited")

    play(scenario)


def test_nothing_is_executed_in_a_paused_container(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(PAUSED)
        session = ClientSession.__new__(ClientSession)
        session._context = machine.context
        request = PrepareExec(container=container.record.name, command=("true",))
        with pytest.raises(ExecInPaused, match="unpause the container before exec"):
            session._prepare_exec(request)

    play(scenario)
