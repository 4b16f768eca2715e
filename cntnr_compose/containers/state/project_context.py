"""State of one project while it is supervised: containers, networks, tasks, event subscribers."""

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from cntnr_compose.containers.state import history, project_intent
from cntnr_compose.containers.state.container_state import ContainerState
from cntnr_compose.core.events import ContainerEvent, Emit, Progress
from cntnr_compose.core.names import STANDALONE
from cntnr_compose.core.values import Seconds
from cntnr_compose.host.namespaces.holder import NamespaceHolder
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.observed import Record
from cntnr_compose.model.project import Project
from cntnr_compose.networks.manager import NetworkManager

# More workers than cores only slow each other down: `runc create` is all CPU.
MAX_WORKERS = max(2, os.cpu_count() or 2)
RULES_INTERVAL: Seconds = (
    30  # between two checks of the rules of networks, for containers of no project
)
MAX_HISTORY = 256  # events that are kept for `events --since`: as many as dockerd keeps


class ProjectContext:
    """One project in its supervisor; all that its containers share."""

    def __init__(self, project: str, holder: NamespaceHolder, facts: HostFacts) -> None:
        self.project = project
        self.holder = holder
        self.host_facts = facts
        self.intent: Project | None = None
        self.command = ""  # what has the change lock
        self.networks = NetworkManager(project)
        self.containers: dict[str, ContainerState] = {}  # by container name
        self.worker_slots = asyncio.Semaphore(MAX_WORKERS)
        self.subscribers: list[Callable[[ContainerEvent], None]] = []
        self.history: deque[ContainerEvent] = deque(maxlen=MAX_HISTORY)  # of this supervisor
        self._rules_checked: Seconds = -RULES_INTERVAL
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def start_task(self, work: Coroutine[Any, Any, None], name: str) -> Callable[[], object]:
        """Run a container's own task until the supervisor ends; return the function that cancels it.

        A bug in it ends that task alone, with its traceback in the log: other containers go on.
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
        """Cancel all tasks of containers, and wait until they have ended."""
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def emit_event(self, record: Record, action: str, **attributes: str) -> None:
        """Emit an event of a container to all subscribers, and wake whoever waits for a change."""
        event = ContainerEvent(
            action=action,
            time=time.time(),
            id=record.id,
            name=record.name,
            service=record.service,
            oneoff=record.oneoff,
            attributes={"image": record.image, **attributes},
            labels=record.labels,
        )
        self.history.append(event)
        for emit in list(self.subscribers):
            emit(event)
        self.notify_change()

    def note(self, record: Record, action: history.Action, **fields: Any) -> None:
        """Add to the history of a container's service; one-off containers have none."""
        if record.oneoff:
            return
        entry = history.PastEvent(
            time=time.time(),
            action=action,
            container=record.name,
            number=record.number,
            command=fields.pop("command", self.command),
            **fields,
        )
        history.add_entry(self.project, record.service, entry)

    def notify_change(self) -> None:
        """Wake whoever waits for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for_change(self) -> None:
        """Wait until any container changes."""
        await self._changed.wait()

    def network_name(self, key: str) -> str:
        """Return the name on the host of a network of the compose file; of no project, it is the key."""
        if self.project == STANDALONE:
            return key
        network = self.intent.networks.get(key) if self.intent else None
        return network.name if network else f"{self.project}_{key}"

    def must_check_rules(self) -> bool:
        """Tell whether rules of networks are to be checked: with each command, but for those of no project.

        Many of these may be run in a second, and `nft` takes a tenth of a short one's time.
        """
        now = time.monotonic()
        is_recent = self.project == STANDALONE and now < self._rules_checked + RULES_INTERVAL
        if not is_recent:
            self._rules_checked = now
        return not is_recent

    def network_names(self) -> set[str]:
        """Return the names of the networks that services and containers of the project are on."""
        services = self.intent.services.values() if self.intent else ()
        keys = {key for service in services for key in service.networks}
        joined = (container.record.networks.values() for container in self.containers.values())
        return {self.network_name(key) for key in keys}.union(*joined)

    def shared_networks(self) -> set[str]:
        """Return the names of the networks of no project that containers are on."""
        joined = {
            name
            for container in self.containers.values()
            for name in container.record.networks.values()
        }
        shared = (network for network in self.networks.list_networks() if not network.found.project)
        return joined.intersection(network.found.name for network in shared)

    def requested_addresses(self) -> set[str]:
        """Return the addresses that services request, of all projects that are on our networks."""
        networks = self.network_names()
        others = project_intent.requested_by_others(self.project, networks)
        if self.intent is None:
            return others
        return others | project_intent.list_requested_addresses(self.intent, networks)

    def volume_name(self, key: str) -> str:
        """Return the name on the host of a volume of the compose file; other names are those of `run -v`."""
        volume = self.intent.volumes.get(key) if self.intent else None
        return volume.name if volume else key

    def container_of_service(self, service: str) -> ContainerState | None:
        """Find the container of a service whose namespaces and volumes others use: a running one first."""
        candidates = [
            container
            for container in self.containers.values()
            if container.record.service == service and not container.record.hook
        ]
        candidates.sort(key=lambda one: (one.record.oneoff, one.record.number))
        running = (one for one in candidates if one.status.pid)
        return next(running, candidates[0] if candidates else None)


def emit_progress(
    emit: Emit, name: str, status: str, *, state: str = "working", detail: str = ""
) -> None:
    """Emit the progress of a container."""
    emit(Progress(kind="Container", name=name, status=status, state=state, detail=detail))
