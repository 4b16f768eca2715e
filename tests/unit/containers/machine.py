"""Stand in for a machine with one container; the test decides what happens to it."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any, TypeAlias, cast

import pytest

from cntnr_compose.containers import health_monitor, hooks, managed, run_cycle, setup
from cntnr_compose.containers.bundle import source_snapshot
from cntnr_compose.containers.managed import ManagedContainer
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import ContainerEvent
from cntnr_compose.model.observed import Record, Status
from cntnr_compose.model.service import Hook, RestartPolicy, Service

PID, BORN, CONMON = 77, 5, 78
Scenario: TypeAlias = Callable[["Machine"], Coroutine[Any, Any, None]]
Play: TypeAlias = Callable[[Scenario], None]


class Broken(CntnrError):
    """Fail a step of a container."""

    def __init__(self, step: str) -> None:
        super().__init__(f"{step} failed")


class Machine:
    """Stand in for the machine of one container: each step succeeds, fails or blocks as the test says."""

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
            (run_cycle.conmon, "is_conmon", lambda *_: False),
            (managed.oci_runtime, "is_started", lambda *_: self.is_started),
            (run_cycle.conmon, "read_exit_status", lambda *_: self.exit_code),
            (run_cycle.ports, "publish_ports", self._call("publish", ())),
            (run_cycle.ports, "unpublish_ports", self._call("unpublish")),
            (run_cycle.ports, "find_published_ports", self._call("find_ports", ())),
            (run_cycle.proc, "start_time", lambda _pid: BORN if self.is_alive else 0),
            (run_cycle.signals, "wait_for_exit", self._wait_for_exit),
            (run_cycle.os, "kill", self._kill),
            (run_cycle.rotation, "end_last_line", lambda _record: None),
            (run_cycle.freezer, "freeze", self._call("freeze", result=False)),
            (run_cycle.freezer, "thaw", self._call("thaw")),
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
        """Put a container on the machine: a new one, or one that an earlier supervisor left."""
        definition = Service(
            name="web",
            restart=RestartPolicy(condition=record.pop("restart", "no"), delay=0.01),
            post_start=(Hook(command=("a",)),) if record.pop("hooks", False) else (),
            pre_stop=(Hook(command=("b",)),) if record.pop("pre_stop", False) else (),
        )
        full_record = Record(
            id="a" * 64, name="p-web-1", project="p", service="web", definition=definition, **record
        )
        managed.records.write_record(full_record)
        managed.records.write_status(full_record, status or Status())
        container = ManagedContainer(self.context, full_record, status or Status())
        self.context.containers[full_record.name] = container
        self.is_alive = bool(status and status.pid)
        return container

    def actions(self) -> list[str]:
        """List the actions of the events that subscribers received."""
        return [event.action for event in self.events]


async def until(is_met: Callable[[], object]) -> None:
    while not is_met():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0.001)


async def until_state(container: ManagedContainer, state: str) -> None:
    await until(lambda: container.state == state)


def written(container: ManagedContainer) -> Status:
    return managed.records.read_status(container.record)
