"""Run one operation of a plan: on a network, a volume, a container, or a wait for a condition."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import assert_never

from cntnr_compose.containers import create, pre_start
from cntnr_compose.containers.endpoints import connection
from cntnr_compose.containers.managed import ManagedContainer, managed_containers
from cntnr_compose.containers.state.container_state import ContainerState
from cntnr_compose.containers.state.project_context import ProjectContext, emit_progress
from cntnr_compose.containers.state.volume_usage import volume_users
from cntnr_compose.core.errors import NoSuchContainer
from cntnr_compose.core.events import Emit, Progress, WarningEvent
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
    PrepareContainer,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    RenameContainer,
    RunPreStart,
    StartContainer,
    StopContainer,
    UnpauseContainer,
    WaitFor,
)
from cntnr_compose.supervisor import conditions
from cntnr_compose.supervisor.explain import explain
from cntnr_compose.volumes import store


async def execute_operation(
    op: Operation, context: ProjectContext, emit: Emit, on_usable: Callable[[], None]
) -> None:
    """Run one operation of a plan; ``on_usable`` is called when later steps need not wait for the rest."""
    match op:
        case CreateNetwork():
            await _create_network(op, context, emit, on_usable)
        case RemoveNetwork(name=name):
            await _remove_network(name, context, emit)
        case CreateVolume() | RemoveVolume():
            await _create_or_remove_volume(op, context, emit)
        case CreateContainer():
            await create.create_container(op, context, emit)
        case RunPreStart(container=container):
            await pre_start.run_hook_container(container, context, emit)
        case PrepareContainer() | StartContainer():
            await _prepare_or_start(op, context, emit)
        case StopContainer():
            await _find_container(context, op.name).stop(
                emit, op.grace, op.signal, will_restart=op.again, cause=op.cause
            )
        case KillContainer(name=name, signal=signal):
            await _find_container(context, name).kill(emit, signal)
        case PauseContainer() | UnpauseContainer() | CommitContainer() | RenameContainer():
            await _change_existing(op, context, emit)
        case ConnectNetwork() | DisconnectNetwork():
            await _change_networks(op, context, emit)
        case RemoveContainer(name=name, volumes=volumes):
            with contextlib.suppress(NoSuchContainer):
                await _find_container(context, name).remove(emit, volumes=volumes)
        case WaitFor():
            await _wait_for_condition(op, context, emit)
        case _:
            assert_never(op)


def _find_container(context: ProjectContext, name: str) -> ManagedContainer:
    """Find a container by its name, or by its whole id, which nobody else gets. Raises `NoSuchContainer`."""
    containers = managed_containers(context)
    by_id = (one for one in containers.values() if one.record.id == name)
    container = containers.get(name) or next(by_id, None)
    if container is None:
        raise NoSuchContainer(name)
    return container


async def _prepare_or_start(
    op: PrepareContainer | StartContainer, context: ProjectContext, emit: Emit
) -> None:
    container = _find_container(context, op.name)
    if isinstance(op, PrepareContainer):
        await container.prepare(emit, early=op.early)
    else:
        await context.networks.settle()
        # The number of another step tells the history nothing.
        cause = "" if "created by " in op.cause else op.cause
        await container.start(emit, again=op.again, cause=cause)


async def _change_existing(
    op: PauseContainer | UnpauseContainer | CommitContainer | RenameContainer,
    context: ProjectContext,
    emit: Emit,
) -> None:
    container = _find_container(context, op.name)
    match op:
        case PauseContainer():
            await container.pause(emit)
        case UnpauseContainer():
            await container.unpause(emit)
        case CommitContainer():
            from cntnr_compose.containers import commit  # it imports compressors

            await commit.commit_container(container, op, emit)
        case RenameContainer():
            await container.change_name(op.new_name)


async def _change_networks(
    op: ConnectNetwork | DisconnectNetwork, context: ProjectContext, emit: Emit
) -> None:
    container = _find_container(context, op.name)
    async with container.hold(paused=False):
        if isinstance(op, ConnectNetwork):
            await connection.connect(container, op, emit)
        else:
            await connection.disconnect(container, op, emit)


async def _create_network(
    op: CreateNetwork, context: ProjectContext, emit: Emit, on_bridge: Callable[[], None]
) -> None:
    _emit_resource_progress("Network", op.network.name, "Creating", emit)
    await context.networks.create_network(op.network, op.config_hash, op.labels, on_bridge)
    _emit_resource_progress("Network", op.network.name, "Created", emit, done=True)


async def _remove_network(name: str, context: ProjectContext, emit: Emit) -> None:
    _emit_resource_progress("Network", name, "Removing", emit)
    if await context.networks.remove_network(name):
        _emit_resource_progress("Network", name, "Removed", emit, done=True)
    else:
        _emit_resource_progress("Network", name, "Resource is still in use", emit, state="warning")


async def _create_or_remove_volume(
    op: CreateVolume | RemoveVolume, context: ProjectContext, emit: Emit
) -> None:
    if isinstance(op, CreateVolume):
        _create_volume(op, context, emit)
    else:
        await _remove_volume(op, emit)


def _create_volume(op: CreateVolume, context: ProjectContext, emit: Emit) -> None:
    volume = op.volume
    _emit_resource_progress("Volume", volume.name, "Creating", emit)
    owner = "" if volume.external else context.project
    store.create_volume(volume, op.config_hash, op.labels, owner, origin=op.origin)
    _emit_resource_progress("Volume", volume.name, "Created", emit, done=True)


async def _remove_volume(op: RemoveVolume, emit: Emit) -> None:
    name = op.name
    _emit_resource_progress("Volume", name, "Removing", emit)
    if volume_users(name, running=op.anew):
        _emit_resource_progress("Volume", name, "Resource is still in use", emit, state="warning")
        return
    await asyncio.to_thread(store.remove_volume, name)
    _emit_resource_progress("Volume", name, "Removed", emit, done=True)


async def _wait_for_condition(op: WaitFor, context: ProjectContext, emit: Emit) -> None:
    """Wait until a condition is met, or cannot be met any more."""
    if op.condition != "service_started":
        for container in _existing_containers(op, context):
            emit_progress(emit, container.record.name, "Waiting")
    try:
        async with asyncio.timeout(op.timeout):
            while True:
                containers = _existing_containers(op, context)
                verdict = _check_condition(op, containers)
                if verdict.state != "waiting":
                    break
                with contextlib.suppress(TimeoutError):  # a condition may depend on the time alone
                    async with asyncio.timeout(conditions.STABLE_AFTER):
                        await context.wait_for_change()
    except TimeoutError:
        reason = explain([one.snapshot for one in _existing_containers(op, context)])
        raise conditions.NotHealthyInTime(op.timeout or 0, reason) from None
    _report_verdict(op, verdict, containers, emit)


def _existing_containers(op: WaitFor, context: ProjectContext) -> list[ContainerState]:
    return [context.containers[name] for name in op.containers if name in context.containers]


def _check_condition(op: WaitFor, containers: list[ContainerState]) -> conditions.ConditionVerdict:
    return conditions.check_condition(
        op.service,
        op.condition,
        [container.snapshot for container in containers],
        required=op.required,
        now=time.time(),
    )


def _report_verdict(
    op: WaitFor, verdict: conditions.ConditionVerdict, containers: list[ContainerState], emit: Emit
) -> None:
    if verdict.state == "failed":
        state = "error" if op.required else "warning"
        for container in containers:
            emit_progress(emit, container.record.name, "Error", state=state, detail=verdict.text)
        if op.required:
            reason = explain(container.snapshot for container in containers)
            raise conditions.DependencyFailed(verdict.text, reason)
        emit(WarningEvent(text=verdict.text))
        return
    for container in containers if op.condition != "service_started" else ():
        word = "Exited" if container.status.state in conditions.ENDED_STATES else "Healthy"
        emit_progress(emit, container.record.name, word, state="done")


def _emit_resource_progress(
    kind: str, name: str, status: str, emit: Emit, *, done: bool = False, state: str = "working"
) -> None:
    emit(Progress(kind=kind, name=name, status=status, state="done" if done else state))
