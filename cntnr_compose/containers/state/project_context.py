"""What everything that a supervisor does has in common: the project, its containers, who is told."""

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from typing import Any

from cntnr_compose.containers.state.container_state import ContainerState
from cntnr_compose.core.events import ContainerEvent, Emit, Progress
from cntnr_compose.host.namespaces.holder import NamespaceHolder
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.observed import Record
from cntnr_compose.model.project import Project
from cntnr_compose.networks.manager import NetworkManager

# More workers than cores only get into each other's way: `runc create` is all CPU.
MAX_WORKERS = max(2, os.cpu_count() or 2)


class ProjectContext:
    """One project, as its supervisor knows it."""

    def __init__(self, project: str, holder: NamespaceHolder, facts: HostFacts) -> None:
        self.project = project
        self.holder = holder
        self.host_facts = facts
        self.intent: Project | None = None
        self.networks = NetworkManager(project)
        self.containers: dict[str, ContainerState] = {}  # by container name
        self.worker_slots = asyncio.Semaphore(MAX_WORKERS)
        self.subscribers: list[Callable[[ContainerEvent], None]] = []
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def start_task(self, work: Coroutine[Any, Any, None], name: str) -> Callable[[], object]:
        """Let a container's own task run for as long as the supervisor does; give what cancels it.

        A bug in it ends that task alone, with its traceback in the log: the others' containers go on.
        """
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task.cancel

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            loop = asyncio.get_running_loop()
            loop.call_exception_handler({"message": f"in {task.get_name()}", "exception": error})

    async def cancel_tasks(self) -> None:
        """Cancel what runs for containers, and wait until it is gone."""
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def emit_event(self, record: Record, action: str, **attributes: str) -> None:
        """Emit all who follow that a container changed, and wake those who wait for it."""
        event = ContainerEvent(
            action=action,
            time=time.time(),
            id=record.id,
            name=record.name,
            service=record.service,
            attributes={"image": record.image, **attributes},
        )
        for follower in self.subscribers:
            follower(event)
        self.notify_change()

    def notify_change(self) -> None:
        """Wake everybody who waits for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for_change(self) -> None:
        """Wait until something changes."""
        await self._changed.wait()

    def network_name(self, key: str) -> str:
        """Give a network's name on the machine."""
        known = self.intent.networks.get(key) if self.intent else None
        return known.name if known else f"{self.project}_{key}"

    def network_names(self) -> set[str]:
        """Name the networks that the project has or joins."""
        meant = self.intent.networks.values() if self.intent else ()
        joined = (one.record.networks.values() for one in self.containers.values())
        return {one.name for one in meant}.union(*joined)

    def requested_addresses(self) -> set[str]:
        """Give the addresses that services ask for, those too that a profile leaves out."""
        if self.intent is None:
            return set()
        services = (*self.intent.services.values(), *self.intent.disabled.values())
        every = (one for service in services for one in service.networks.values())
        return {one.ipv4_address for one in every if one.ipv4_address}

    def volume_name(self, key: str) -> str:
        """Give a volume's name on the machine; one that the file has not is `run`'s, as it was written."""
        known = self.intent.volumes.get(key) if self.intent else None
        return known.name if known else key

    def container_of_service(self, service: str) -> ContainerState | None:
        """Find a container of a service that can lend its namespaces."""
        found = [one for one in self.containers.values() if one.record.service == service]
        found.sort(key=lambda one: (one.record.oneoff, one.record.number))
        return next((one for one in found if one.status.pid), found[0] if found else None)


def emit_progress(
    emit: Emit, name: str, status: str, *, state: str = "working", detail: str = ""
) -> None:
    """Emit how far a container is."""
    emit(Progress(kind="Container", name=name, status=status, state=state, detail=detail))
