"""Stop a container: its stop signal, the grace period, then SIGKILL."""

import asyncio
import contextlib
import signal

from cntnr_compose.containers.run_cycle import RunCycle
from cntnr_compose.containers.state.lifecycle import ACTIVE, LifecycleState
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds
from cntnr_compose.host import signals
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import Service

DEFAULT_GRACE_PERIOD: Seconds = 10
DEFAULT_STOP_SIGNAL = "SIGTERM"
KILL_TIMEOUT: Seconds = 10  # after SIGKILL; the kernel may be busy with its memory


class StopFailed(CntnrError):
    """A container does not end even when it is killed."""

    hint = "it waits for the kernel, perhaps for a disk or a network file system"

    def __init__(self, container: str) -> None:
        super().__init__(f"cannot stop container {container}: it does not end")


async def terminate(container: RunCycle, grace: Seconds | None, signal_name: str = "") -> None:
    """End what runs; a program that was not started needs no grace period. Raises `StopFailed`."""
    service = container.record.definition
    seconds = grace_period(service, grace)
    if seconds and container.state is not LifecycleState.PREPARED:
        name = signal_name or stop_signal(service, container.image)
        container.send_signal(signals.signal_number(name))
        await container.thaw()  # a paused program gets the signal then
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds if seconds > 0 else None):  # below 0: no limit
                await container.wait_while(ACTIVE)
    container.send_signal(signal.SIGKILL)
    await container.thaw()  # cgroup v1 does not even kill what is frozen
    try:
        async with asyncio.timeout(KILL_TIMEOUT):
            await container.wait_while(ACTIVE)
    except TimeoutError:
        raise StopFailed(container.record.name) from None


def stop_signal(service: Service, image: ImageConfig) -> str:
    """Return the name of the signal that asks a container to end."""
    return service.stop_signal or image.stop_signal or DEFAULT_STOP_SIGNAL


def grace_period(service: Service, requested: Seconds | None = None) -> Seconds:
    """Return how long a container may take to end by itself; the command's own value comes first."""
    if requested is not None:
        return requested
    if service.stop_grace_period is None:
        return DEFAULT_GRACE_PERIOD
    return service.stop_grace_period
