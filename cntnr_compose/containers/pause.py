"""Pause a container and let it go on, with docker's refusals."""

from cntnr_compose.containers.run_cycle import RunCycle
from cntnr_compose.containers.runtime import freezer
from cntnr_compose.containers.state.lifecycle import LifecycleEvent, LifecycleState
from cntnr_compose.containers.stop import stop_signal
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, WarningEvent
from cntnr_compose.host import process, signals

BY_SIGNALS = (
    "paused with SIGSTOP, since this user may not make cgroups (see `cntnr doctor`): "
    "what a container itself had stopped goes on, too, when it is unpaused"
)


class PauseRefused(CntnrError):
    """A container cannot be paused or unpaused in the state that it is in."""

    def __init__(self, container: str, reason: str, hint: str = "") -> None:
        super().__init__(f"container {container} is {reason}")
        self.hint = hint


class StartOfPaused(CntnrError):
    """A container is to be started that is paused."""

    hint = "`cntnr unpause` lets it go on"

    def __init__(self, container: str) -> None:
        super().__init__(f"cannot start a paused container, try unpause instead: {container}")


async def pause(container: RunCycle, emit: Emit) -> None:
    """Stop the processes of a container that runs; its caller holds the change lock.

    The state is written first, so that a later supervisor can let it go on. Raises `PauseRefused`,
    `FreezeFailed`.
    """
    name = container.record.name
    _check_running(container)
    container.stop_probing()
    container.transition(LifecycleEvent.PAUSE)
    try:
        is_by_cgroup = await freezer.freeze(container.record.id, name, container.status.pid)
    except BaseException:
        await process.clean_up(container.thaw())
        raise
    if container.state is not LifecycleState.PAUSED:  # it ended just then
        raise PauseRefused(name, "not running")
    container.context.emit_event(container.record, "pause")
    if not is_by_cgroup:
        emit(WarningEvent(text=BY_SIGNALS))


def _check_running(container: RunCycle) -> None:
    name = container.record.name
    match container.state:
        case LifecycleState.RUNNING:
            return
        case LifecycleState.PAUSED:
            raise PauseRefused(name, "already paused", "`cntnr unpause` lets it go on")
        case LifecycleState.RESTARTING:
            raise PauseRefused(name, "restarting, wait until the container is running")
        case _:
            raise PauseRefused(name, "not running")


async def unpause(container: RunCycle) -> None:
    """Let a paused container go on; its caller holds the change lock. Raises `PauseRefused`."""
    if container.state is not LifecycleState.PAUSED:
        raise PauseRefused(container.record.name, "not paused")
    await container.thaw()


def is_unpaused_by(container: RunCycle, number: int) -> bool:
    """Tell whether a signal lets a paused container go on, as in docker.

    Where a stop signal is set, other signals wait until it is unpaused.
    """
    service = container.record.definition
    if not (service.stop_signal or container.image.stop_signal):
        return True
    return number == signals.signal_number(stop_signal(service, container.image))
