"""A container's way through its states: commands, the end of its process, failures, adoption."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cntnr_compose.containers import health_monitor, hooks, managed, run_cycle, setup
from cntnr_compose.containers.bundle import source_snapshot
from cntnr_compose.containers.managed import ManagedContainer
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import ContainerEvent, Event, ignore_event
from cntnr_compose.host import files
from cntnr_compose.model.observed import Record, Status
from cntnr_compose.model.service import Hook, RestartPolicy, Service

PID, BORN, CONMON = 77, 5, 78
Play = Callable[["Machine"], Coroutine[Any, Any, None]]


class Broken(CntnrError):
    """What goes wrong in a test."""

    def __init__(self, step: str) -> None:
        super().__init__(f"{step} failed")


class Machine:
    """One container on a machine that does what is asked of it, or fails where the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.events: list[ContainerEvent] = []
        self.fails: set[str] = set()  # calls that raise
        self.blocks: dict[str, asyncio.Event] = {}  # calls that wait
        self.ignores: set[int] = set()  # signals that do not end the process
        self.is_alive = False
        self.is_started = False
        self.exit_code: int | None = 0
        self.sources: tuple[tuple[int, ...], ...] = ((1,),)
        self._dead = asyncio.Event()
        self.context = self._context()
        for module, name, fake in self._fakes():
            monkeypatch.setattr(module, name, fake)

    def _context(self) -> ProjectContext:
        holder = SimpleNamespace(id="1-2")
        context = ProjectContext("p", cast("Any", holder), cast("Any", SimpleNamespace()))
        context.subscribers.append(self.events.append)
        return context

    def _fakes(self) -> list[tuple[object, str, object]]:
        return [
            (setup, "set_up", self._set_up),
            (setup, "undo_set_up", self._call("undo_set_up")),
            (setup, "tear_down", self._call("tear_down")),
            (setup, "register_names", lambda *_: None),
            (run_cycle.runc, "start", self._start),
            (run_cycle.runc, "is_conmon", lambda *_: False),
            (run_cycle.runc, "is_started", lambda *_: self.is_started),
            (run_cycle.runc, "read_exit_status", lambda *_: self.exit_code),
            (run_cycle.ports, "publish_ports", self._call("publish", ())),
            (run_cycle.ports, "unpublish_ports", self._call("unpublish")),
            (run_cycle.ports, "find_published_ports", self._call("find_ports", ())),
            (run_cycle.proc, "start_time", lambda _pid: BORN if self.is_alive else 0),
            (run_cycle.signals, "wait_for_exit", self._wait_for_exit),
            (run_cycle.os, "kill", self._kill),
            (run_cycle.rotation, "end_last_line", lambda _record: None),
            (source_snapshot, "take_snapshot", lambda *_: self.sources),
            (hooks, "run_hook", self._run_hook),
            (health_monitor, "monitor_health", self._monitor_health),
        ]

    def _call(self, name: str, result: object = None) -> Callable[..., Any]:
        async def call(*_words: object) -> object:
            await self._step(name)
            return result

        return call

    async def _step(self, name: str) -> None:
        self.calls.append(name)
        if name in self.blocks:
            await self.blocks[name].wait()
        if name in self.fails:
            raise Broken(name)

    async def _set_up(self, *_words: object) -> setup.SetupResult:
        await self._step("set_up")
        self.is_alive, self._dead = True, asyncio.Event()
        return setup.SetupResult(pid=PID, conmon=CONMON, addresses={"p_default": "10.0.0.2"})

    async def _start(self, *_words: object) -> None:
        await self._step("start")

    async def _run_hook(self, _context: object, _record: object, kind: str, *_: object) -> None:
        await self._step(kind)

    async def _monitor_health(self, *_words: object) -> None:
        await self._step("monitor_health")
        await asyncio.Event().wait()

    async def _wait_for_exit(self, _pid: int) -> None:
        await self._dead.wait()

    def _kill(self, pid: int, number: int) -> None:
        assert pid == PID
        self.calls.append(signal.Signals(number).name)
        if number not in self.ignores:
            self.die(128 + number)

    def die(self, code: int = 0) -> None:
        """End the container's process."""
        self.is_alive, self.exit_code = False, code
        self._dead.set()

    def container(self, status: Status | None = None, **record: Any) -> ManagedContainer:
        """Put a container there: a new one, or one that an earlier supervisor left."""
        definition = Service(
            name="web",
            restart=RestartPolicy(condition=record.pop("restart", "no"), delay=0.01),
            post_start=(Hook(command=("a",)),) if record.pop("hooks", False) else (),
            pre_stop=(Hook(command=("b",)),) if record.pop("pre_stop", False) else (),
        )
        made = Record(
            id="a" * 64, name="p-web-1", project="p", service="web", definition=definition, **record
        )
        managed.records.write_record(made)
        managed.records.write_status(made, status or Status())
        container = ManagedContainer(self.context, made, status or Status())
        self.context.containers[made.name] = container
        self.is_alive = bool(status and status.pid)
        return container

    def actions(self) -> list[str]:
        """Name what subscribers were told."""
        return [event.action for event in self.events]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Play], None]:
    """Run a test's coroutine on a machine, and end what it left."""
    files.remove_tree(paths.data())
    monkeypatch.setattr(paths, "holder_tmpfs", lambda: tmp_path)

    def run(scenario: Play) -> None:
        async def whole() -> None:
            machine = Machine(monkeypatch)
            try:
                async with asyncio.timeout(5):
                    await scenario(machine)
            finally:
                await machine.context.cancel_tasks()

        asyncio.run(whole())

    return run


async def until(is_met: Callable[[], object]) -> None:
    while not is_met():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0.001)


async def until_state(container: ManagedContainer, state: str) -> None:
    await until(lambda: container.state == state)


def written(container: ManagedContainer) -> Status:
    return managed.records.read_status(container.record)


def test_a_container_is_prepared_started_and_stopped(play: Callable[[Play], None]) -> None:
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


@pytest.mark.parametrize("word", ["created", "exited"])
def test_what_was_prepared_and_is_not_started_is_as_before(
    play: Callable[[Play], None], word: str
) -> None:
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
def test_a_start_that_fails_leaves_the_container_as_before(
    play: Callable[[Play], None], step: str, word: str
) -> None:
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
def test_a_start_that_is_cancelled_leaves_the_container_as_before(
    play: Callable[[Play], None], step: str
) -> None:
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


def test_a_program_that_ends_before_its_start_is_noted_ran_all_the_same(
    play: Callable[[Play], None],
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


def test_a_start_while_the_last_run_is_torn_down_waits_for_that(
    play: Callable[[Play], None],
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


def test_sources_that_were_replaced_are_mounted_anew(play: Callable[[Play], None]) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container()
        await container.prepare(ignore_event)
        machine.sources = ((2,),)
        await container.start(ignore_event)
        assert machine.calls.count("set_up") == 2

    play(scenario)


def test_early_only_what_has_its_sources_is_prepared(play: Callable[[Play], None]) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container()
        machine.sources = ((),)
        await container.prepare(ignore_event, early=True)
        assert container.state == "created"
        machine.sources = ((1,),)
        await container.prepare(ignore_event, early=True)
        assert container.state == "prepared"

    play(scenario)


def test_what_ends_is_started_again_as_its_policy_says(play: Callable[[Play], None]) -> None:
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


def test_an_automatic_start_that_fails_is_not_tried_again(play: Callable[[Play], None]) -> None:
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


def test_an_automatic_start_of_which_a_hook_fails_runs_on(play: Callable[[Play], None]) -> None:
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


def test_who_is_stopped_while_it_waits_for_its_restart_stays_ended(
    play: Callable[[Play], None],
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


def test_who_is_stopped_while_it_is_torn_down_stays_ended(play: Callable[[Play], None]) -> None:
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


def test_a_stop_before_a_start_says_so_at_the_end(play: Callable[[Play], None]) -> None:
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


def test_who_does_not_end_in_time_is_killed(play: Callable[[Play], None]) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container()
        await container.start(ignore_event)
        machine.ignores.add(signal.SIGTERM)
        await container.stop(ignore_event, 0.01)
        assert machine.calls[-3:] == ["SIGTERM", "SIGKILL", "tear_down"]
        assert container.status.exit_code == 137

    play(scenario)


def test_who_does_not_even_end_when_killed_can_be_stopped_later(
    play: Callable[[Play], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(machine: Machine) -> None:
        monkeypatch.setattr(managed, "KILL_TIMEOUT", 0.01)
        container = machine.container(restart="always")
        await container.start(ignore_event)
        machine.ignores |= {signal.SIGTERM, signal.SIGKILL}
        with pytest.raises(managed.StopFailed):
            await container.stop(ignore_event, 0)
        assert (container.state, container.status.stopped_by_user) == ("running", True)
        machine.ignores.clear()
        await container.stop(ignore_event, 0)
        assert container.state == "exited"

    play(scenario)


@pytest.mark.parametrize("word", ["created", "exited"])
def test_what_does_not_run_is_not_stopped_or_killed(
    play: Callable[[Play], None], word: str
) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(Status(state=word))
        told: list[Event] = []
        await container.stop(told.append)
        await container.kill(told.append, "SIGKILL")
        assert (container.state, machine.calls, told) == (word, [], [])

    play(scenario)


def test_a_prepared_container_is_stopped_without_hooks_and_grace(
    play: Callable[[Play], None],
) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(pre_stop=True)
        await container.prepare(ignore_event)
        await container.stop(ignore_event)
        assert (container.state, container.status.state) == ("created", "created")
        assert machine.calls == ["set_up", "SIGKILL", "tear_down"]

    play(scenario)


def test_a_kill_is_the_users_wish_that_it_ends_another_signal_is_not(
    play: Callable[[Play], None],
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
def test_whatever_it_does_it_can_be_removed(play: Callable[[Play], None], state: str) -> None:
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


def test_a_removal_that_fails_can_be_tried_again(
    play: Callable[[Play], None], monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_what_is_there_to_run_once_goes_when_it_has_ended(play: Callable[[Play], None]) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(oneoff=True, auto_remove=True)
        await container.start(ignore_event)
        machine.die()
        await until_state(container, "removed")
        assert machine.context.containers == {}

    play(scenario)


def test_what_was_to_run_once_goes_when_its_client_does_before_the_start(
    play: Callable[[Play], None],
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
def test_a_later_supervisor_goes_on(
    play: Callable[[Play], None], word: str, pid: int, is_started: bool, restart: str, expected: str
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
def test_what_ended_without_a_supervisor_has_ended(
    play: Callable[[Play], None], word: str, expected: str
) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(Status(state=word, pid=PID, born=BORN))
        machine.die(9)
        await container.adopt()
        assert (container.state, container.status.pid) == (expected, 0)
        assert container.status.exit_code == (9 if word == "running" else 0)

    play(scenario)


def test_what_is_left_of_a_set_up_that_was_cut_off_is_removed(play: Callable[[Play], None]) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container()
        paths.bundle(container.record.id).mkdir(parents=True)
        await container.adopt()
        assert (container.state, machine.calls) == ("created", ["undo_set_up"])

    play(scenario)


def test_health_is_probed_from_the_start_to_the_end(
    play: Callable[[Play], None], monkeypatch: pytest.MonkeyPatch
) -> None:
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
