"""The supervised project: its change lock, adoption of what runs, housekeeping, snapshot."""

import asyncio
import threading
import traceback
from collections.abc import Coroutine
from typing import Any

from cntnr_compose.containers import setup
from cntnr_compose.containers.logs import rotation
from cntnr_compose.containers.managed import ManagedContainer, managed_containers
from cntnr_compose.containers.state import project_intent, records
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.images import unsynced
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.observed import Observed
from cntnr_compose.networks import slirp4netns
from cntnr_compose.supervisor.namespace_guests import restart_with_owners
from cntnr_compose.volumes import store

UPLINK_CHECK_ROUNDS = 4  # rounds of housekeeping from one check of the uplink to the next


class SupervisedProject:
    """One project and the lock that commands hold while they change it."""

    def __init__(self, context: ProjectContext) -> None:
        self.context = context
        self.change_lock = asyncio.Lock()  # held by the command that may change the project
        self.lock_owner = ""  # what that command does, for those who wait
        self._rounds = 0
        self._sync: threading.Thread | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing of the project is left: no containers, no networks of its own."""
        context = self.context
        networks = (managed.found for managed in context.networks.list_networks())
        return not context.containers and all(
            network.project != context.project for network in networks
        )

    async def adopt(self) -> None:
        """Go on with what an earlier supervisor left: read the records, adopt what runs, repair networks."""
        context = self.context
        context.intent = project_intent.read_intent(context.project)
        records.remove_incomplete(context.project)
        self._read_containers()
        known = {container.record.id for container in context.containers.values()}
        for identity in setup.find_unrecorded(context.project, known):
            await log_failure(setup.tear_down_unrecorded(context, identity))
        await log_failure(context.networks.repair())
        if context.containers:
            await log_failure(slirp4netns.ensure_running())
        for container in list(managed_containers(context).values()):
            await log_failure(container.adopt())
        restart_with_owners(context)

    def _read_containers(self) -> None:
        context = self.context
        for written in records.read_containers(context.project):
            current = records.correct_status(written, context.holder.id)
            container = ManagedContainer(context, current.record, current.status)
            context.containers[current.record.name] = container
            if current.status != written.status:
                container.write()

    async def run_housekeeping(self) -> None:
        """Run one round: rotate logs, remove what nobody uses any more, repair networks and uplink."""
        context = self.context
        for container in list(context.containers.values()):
            rotation.keep_rotated_log(container.record)
        # A command that holds the lock may want to use them again.
        if not context.containers and not self.change_lock.locked():
            await log_failure(context.networks.remove_leaving())
            project_intent.remove_intent(context.project)
        self._start_sync()
        await log_failure(context.networks.repair(context.shared_networks(), rules=False))
        self._rounds += 1
        if self._rounds % UPLINK_CHECK_ROUNDS == 0:
            await slirp4netns.ensure_running()

    def _start_sync(self) -> None:
        """Have the disk keep layers that were unpacked; a thread waits for it."""
        is_running = self._sync is not None and self._sync.is_alive()
        if unsynced.has_marks() and not is_running:
            self._sync = threading.Thread(target=_sync_layers, name="sync", daemon=True)
            self._sync.start()

    def observe(self) -> Observed:
        """Take a snapshot."""
        context = self.context
        return Observed(
            project=context.project,
            containers=tuple(container.snapshot for container in context.containers.values()),
            networks=context.networks.observe(),
            volumes=store.observe_volumes(),
            images={
                image.ref: image.id for image in ImageStore(for_containers=True).list() if image.ref
            },
        )


async def log_failure(work: Coroutine[Any, Any, None]) -> None:
    """Do what must not keep the rest from being done: the traceback of its failure goes to the log."""
    try:
        await work
    except Exception:  # noqa: BLE001
        traceback.print_exc()


def _sync_layers() -> None:
    """Wait for the disk; then remove what was moved away because it had not got there."""
    from cntnr_compose.images.storage import detached  # imported here: most supervisors do without

    try:
        unsynced.sync()
        detached.remove_here()
    except OSError:
        traceback.print_exc()
