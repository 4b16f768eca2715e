"""States of a container and the transitions between them."""

from enum import StrEnum

from cntnr_compose.model.observed import Status


class LifecycleState(StrEnum):
    """Where a container stands between its creation and its removal."""

    CREATED = "created"  # never started
    PREPARING = "preparing"  # bundle and network are being set up; `runc create` runs
    PREPARED = "prepared"  # `runc create` is done: the program can start
    STARTING = "starting"  # ports are being published; `runc start` runs
    RUNNING = "running"
    PAUSED = "paused"
    ENDING = "ending"  # its first process is gone; what was set up is being torn down
    RESTARTING = "restarting"  # waits for the delay before an automatic start
    EXITED = "exited"
    REMOVING = "removing"
    REMOVED = "removed"


class LifecycleEvent(StrEnum):
    """What moves a container from one state to the next."""

    PREPARE = "prepare"
    PREPARED = "prepared"
    START = "start"
    STARTED = "started"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    FAIL = "fail"  # what was begun did not succeed
    END = "end"  # its first process is gone
    RESET = "reset"  # torn down; its program was not started
    EXIT = "exit"  # torn down; it stays ended
    BACK_OFF = "back off"  # torn down; it is started again after a delay
    GIVE_UP = "give up"  # no automatic start: the user stopped it, or the start failed
    REMOVE = "remove"
    REMOVED = "removed"


S, E = LifecycleState, LifecycleEvent

# Stand in the status file, in docker's words. The other states last only while a supervisor works on the
# container: the file keeps the settled state before, and whatever fails or is undone goes back to that.
SETTLED = frozenset({S.CREATED, S.RUNNING, S.PAUSED, S.RESTARTING, S.EXITED})

# There is a first process, or what was set up for it.
SET_UP = frozenset({S.PREPARED, S.STARTING, S.RUNNING, S.PAUSED, S.ENDING})

# Something is there, or comes or goes, beyond the container's own files.
ACTIVE = SET_UP | {S.PREPARING, S.REMOVING}

# State and event to the next state; None: the settled state before. A pair that is not listed is a bug.
TRANSITIONS: dict[tuple[LifecycleState, LifecycleEvent], LifecycleState | None] = {
    (S.CREATED, E.PREPARE): S.PREPARING,
    (S.CREATED, E.REMOVE): S.REMOVING,
    (S.PREPARING, E.PREPARED): S.PREPARED,
    (S.PREPARING, E.FAIL): None,
    (S.PREPARED, E.START): S.STARTING,
    (S.PREPARED, E.END): S.ENDING,
    (S.STARTING, E.STARTED): S.RUNNING,
    (S.STARTING, E.FAIL): S.PREPARED,
    (S.RUNNING, E.PAUSE): S.PAUSED,
    (S.RUNNING, E.END): S.ENDING,
    (S.PAUSED, E.UNPAUSE): S.RUNNING,
    (S.PAUSED, E.END): S.ENDING,
    (S.ENDING, E.RESET): None,
    (S.ENDING, E.EXIT): S.EXITED,
    (S.ENDING, E.BACK_OFF): S.RESTARTING,
    (S.RESTARTING, E.PREPARE): S.PREPARING,
    (S.RESTARTING, E.GIVE_UP): S.EXITED,
    (S.RESTARTING, E.REMOVE): S.REMOVING,
    (S.EXITED, E.PREPARE): S.PREPARING,
    (S.EXITED, E.REMOVE): S.REMOVING,
    (S.REMOVING, E.REMOVED): S.REMOVED,
    (S.REMOVING, E.FAIL): None,
}


class TransitionInvalid(Exception):
    """An event that cannot happen in a container's state: a bug."""

    def __init__(self, state: LifecycleState, event: LifecycleEvent) -> None:
        super().__init__(f"a container that is {state} cannot {event}")


def next_state(state: LifecycleState, event: LifecycleEvent, settled: str) -> LifecycleState:
    """Return the state after an event; ``settled`` is what the status file says.

    Raises `TransitionInvalid`.
    """
    try:
        target = TRANSITIONS[state, event]
    except KeyError:
        raise TransitionInvalid(state, event) from None
    return target or LifecycleState(settled)


def adopted_state(status: Status, *, is_started: bool, has_bundle: bool) -> LifecycleState:
    """Return the state of a container that an earlier supervisor left, wherever that one died.

    ``is_started``: its first process lives, and is the container's program already.
    """
    settled = LifecycleState(status.state)
    if status.pid:
        if settled in (S.RUNNING, S.PAUSED):
            return settled
        return S.STARTING if is_started else S.PREPARED
    if settled is S.RESTARTING:
        return S.ENDING  # nobody waits for its delay any more: decided again
    return S.PREPARING if has_bundle else settled
