"""List the progress that a plan would report, in the words of the supervisor: what `--dry-run` shows."""

from collections.abc import Iterator, Mapping

from cntnr_compose.core.events import Progress
from cntnr_compose.model.plan import (
    CommitContainer,
    ConnectNetwork,
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    DisconnectNetwork,
    KillContainer,
    Operation,
    PauseContainer,
    Plan,
    PrepareContainer,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    RenameContainer,
    RunPreStart,
    StartContainer,
    Step,
    StopContainer,
    UnpauseContainer,
    WaitFor,
)

# Kind of the resource, and the words of its progress.
WORDS: Mapping[type[Operation], tuple[str, ...]] = {
    CreateNetwork: ("Network", "Creating", "Created"),
    RemoveNetwork: ("Network", "Removing", "Removed"),
    CreateVolume: ("Volume", "Creating", "Created"),
    RemoveVolume: ("Volume", "Removing", "Removed"),
    CreateContainer: ("Container", "Creating", "Created"),
    RunPreStart: ("Container", "Creating", "Running", "Exited"),
    PrepareContainer: ("Container",),
    StartContainer: ("Container", "Starting", "Started"),
    StopContainer: ("Container", "Stopping", "Stopped"),
    KillContainer: ("Container", "Killing", "Killed"),
    PauseContainer: ("Container", "Paused"),
    UnpauseContainer: ("Container", "Unpaused"),
    RenameContainer: ("Container",),
    RemoveContainer: ("Container", "Removing", "Removed"),
    CommitContainer: ("", "Committing", "Committed"),
    ConnectNetwork: ("Container",),
    DisconnectNetwork: ("Container",),
}
IMMEDIATE_CONDITION = "service_started"  # met as soon as the dependency's start is done


def list_progress(plan: Plan) -> Iterator[Progress]:
    """Yield the progress of each step, as if all steps took equally long and none failed."""
    for step in _by_depth(plan):
        yield from _operation_progress(step.operation)


def _by_depth(plan: Plan) -> list[Step]:
    """Order the steps by how many others come before them, one after the other."""
    depths: dict[int, int] = {}
    for step in plan.steps:
        depths[step.number] = 1 + max((depths[number] for number in step.after), default=0)
    return sorted(plan.steps, key=lambda step: depths[step.number])


def _operation_progress(operation: Operation) -> Iterator[Progress]:
    if isinstance(operation, WaitFor):
        yield from _wait_progress(operation)
        return
    kind, *words = WORDS[type(operation)]
    detail = ""
    match operation:
        case CreateContainer(oneoff=True, hook=""):
            words = []  # not shown, as in docker compose
        case CreateContainer(cause=cause) if operation.replaces:
            words, detail = ["Recreate", "Recreated"], cause
        case StopContainer(again=True):
            words = ["Restarting"]
        case StartContainer(again=True):
            words = ["Started"]
        case CommitContainer(name=name):
            detail = f"Commit {name}"
        case _:
            pass
    for word in words:
        is_last = word is words[-1]
        state = "done" if is_last and word != "Restarting" else "working"
        name = _resource_name(operation)
        yield Progress(
            kind=kind,
            name=name,
            status=word,
            state=state,
            detail="" if is_last and kind else detail,
        )


def _resource_name(operation: Operation) -> str:
    match operation:
        case CreateNetwork(network=resource) | CreateVolume(volume=resource):
            return resource.name
        case WaitFor():
            return operation.service
        case _:
            return operation.name


def _wait_progress(operation: WaitFor) -> Iterator[Progress]:
    if operation.condition == IMMEDIATE_CONDITION:
        return
    word = "Exited" if operation.condition == "service_completed_successfully" else "Healthy"
    for name in operation.containers:
        yield Progress(kind="Container", name=name, status="Waiting")
        yield Progress(kind="Container", name=name, status=word, state="done")
