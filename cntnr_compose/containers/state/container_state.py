"""State of one container: its record, its status on disk, and where it stands in its life."""

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Any

from cntnr_compose.containers.state import records
from cntnr_compose.containers.state.lifecycle import (
    SETTLED,
    LifecycleEvent,
    LifecycleState,
    next_state,
)
from cntnr_compose.core.values import from_tree, replace
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.observed import Container, Record, Status

# What is started after a reboot depends on these.
REBOOT_FIELDS = frozenset({"state", "stopped_by_user"})
log = logging.getLogger(__name__)


class ContainerState:
    """What is known of one container; base of `ManagedContainer`, which changes it."""

    def __init__(self, record: Record, status: Status, on_change: Callable[[], None]) -> None:
        self.record = record
        self.status = status  # as it stands in the status file
        self.state = LifecycleState(status.state)
        self._on_change = on_change
        self._moved = asyncio.Event()  # set and replaced at each transition

    @property
    def image(self) -> ImageConfig:
        """The configuration of the image that the container was created from."""
        return from_tree(self.record.image_config, ImageConfig)

    @property
    def snapshot(self) -> Container:
        """Record and status as one value."""
        return Container(record=self.record, status=self.status)

    def transition(self, event: LifecycleEvent, **changes: Any) -> None:
        """Move to the state that the table names; write a settled one, and what else changes.

        Raises `TransitionInvalid`.
        """
        self.state = next_state(self.state, event, self.status.state)
        if self.state in SETTLED and self.state != self.status.state:
            changes["state"] = self.state.value
        if changes:
            self.write(**changes)
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait_while(self, states: Collection[LifecycleState]) -> None:
        """Wait until the container is in none of these states."""
        while self.state in states:
            await self._moved.wait()

    def write(self, **changes: Any) -> None:
        """Change fields of the status, and write the status file."""
        self.status = replace(self.status, **changes)
        try:
            records.write_status(
                self.record, self.status, lasts=not REBOOT_FIELDS.isdisjoint(changes)
            )
            if self.record.oneoff and self.status.state in ("exited", "restarting"):
                records.write_exit_code(self.record, self.status.exit_code)
        except OSError as error:
            # On a full disk containers can still be stopped: the status in memory counts, and the next
            # supervisor corrects what is written.
            log.warning("cannot write the status of %s: %s", self.record.name, error)
        self._on_change()
