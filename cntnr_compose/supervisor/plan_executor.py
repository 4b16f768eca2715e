"""Carries out a plan: each step as soon as those it comes after are done. It has no opinions."""

import asyncio
import contextlib
import time
from typing import assert_never

from cntnr_compose.containers import create as creation
from cntnr_compose.containers.managed import ManagedContainer, managed_containers
from cntnr_compose.containers.state.project_context import ProjectContext, emit_progress
from cntnr_compose.containers.state.volume_usage import volume_users
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, Progress, WarningEvent
from cntnr_compose.host import process
from cntnr_compose.model.plan import (
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    KillContainer,
    Operation,
    Plan,
    PrepareContainer,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    StartContainer,
    Step,
    StopContainer,
    WaitFor,
)
from cntnr_compose.supervisor import conditions
from cntnr_compose.volumes import store as volumes

# What takes things down goes on after a failure, so that as little as possible is left.
CONTINUE_AFTER_FAILURE = (KillContainer, RemoveContainer, RemoveNetwork, RemoveVolume)


class SeveralFailed(CntnrError):
    """More than one step of taking down failed."""

    def __init__(self, errors: list[CntnrError]) -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.hint = next((error.hint for error in errors if error.hint), "")


class NoSuchContainer(CntnrError):
    """A plan names a container that is gone meanwhile."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no such container: {name}")


async def execute_plan(plan: Plan, scene: ProjectContext, emit: Emit) -> None:
    """Run every step; the first failure cancels those that have not finished.

    What was prepared and is not started now is as it was before. Raises the `CntnrError` of the step
    that failed; `SeveralFailed`.
    """
    for line in plan.warnings:
        emit(WarningEvent(text=line))
    done = {step.number: asyncio.Event() for step in plan.steps}
    failed: list[CntnrError] = []

    async def when_ready(step: Step) -> None:
        for number in step.after:
            await done[number].wait()
        try:
            await execute_operation(step.operation, scene, emit)
        except CntnrError as error:
            if not isinstance(step.operation, CONTINUE_AFTER_FAILURE):
                raise
            failed.append(error)
        done[step.number].set()

    try:
        async with asyncio.TaskGroup() as group:
            for step in plan.steps:
                group.create_task(when_ready(step), name=step.operation.describe())
    except ExceptionGroup as errors:
        await process.clean_up(_undo_prepared(plan, scene))
        raise root_cause(errors) from errors
    except asyncio.CancelledError:
        await process.clean_up(_undo_prepared(plan, scene))
        raise
    if failed:
        raise failed[0] if len(failed) == 1 else SeveralFailed(failed)


def sets_up_containers(plan: Plan) -> bool:
    """Emit whether a plan sets containers up, which need their networks."""
    return any(isinstance(one.operation, PrepareContainer | StartContainer) for one in plan.steps)


async def _undo_prepared(plan: Plan, scene: ProjectContext) -> None:
    names = {
        one.operation.name for one in plan.steps if isinstance(one.operation, PrepareContainer)
    }
    async with asyncio.TaskGroup() as group:
        for name in names & scene.containers.keys():
            group.create_task(managed_containers(scene)[name].undo_prepare())


def root_cause(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Take the one error out of a group that the user should hear of: a bug before a mistake."""
    flat: list[BaseException] = []
    ahead = list(errors.exceptions)
    while ahead:
        one = ahead.pop(0)
        if isinstance(one, BaseExceptionGroup):
            ahead = [*one.exceptions, *ahead]
        else:
            flat.append(one)
    bugs = (one for one in flat if not isinstance(one, CntnrError))
    return next(bugs, flat[0])


async def execute_operation(op: Operation, scene: ProjectContext, emit: Emit) -> None:
    """Run one operation."""
    match op:
        case CreateNetwork(network=network):
            _emit_resource_progress("Network", network.name, "Creating", emit)
            await scene.networks.create_network(network, op.config_hash, op.labels)
            _emit_resource_progress("Network", network.name, "Created", emit, done=True)
        case RemoveNetwork(name=name):
            await _remove_network(name, scene, emit)
        case CreateVolume(volume=volume):
            _emit_resource_progress("Volume", volume.name, "Creating", emit)
            owner = "" if volume.external else scene.project
            volumes.create_volume(volume, op.config_hash, op.labels, owner)
            _emit_resource_progress("Volume", volume.name, "Created", emit, done=True)
        case RemoveVolume():
            await _remove_volume(op, emit)
        case CreateContainer():
            await creation.create_container(op, scene, emit)
        case PrepareContainer(name=name, early=early):
            await _find_container(scene, name).prepare(emit, early=early)
        case StartContainer(name=name):
            await _find_container(scene, name).start(emit)
        case StopContainer(name=name, grace=grace):
            await _find_container(scene, name).stop(emit, grace, will_restart=op.again)
        case KillContainer(name=name, signal=signal):
            await _find_container(scene, name).kill(emit, signal)
        case RemoveContainer(name=name, volumes=with_volumes):
            if name in scene.containers:
                await managed_containers(scene)[name].remove(emit, volumes=with_volumes)
        case WaitFor():
            await _wait(op, scene, emit)
        case _:
            assert_never(op)


def _find_container(scene: ProjectContext, name: str) -> ManagedContainer:
    try:
        return managed_containers(scene)[name]
    except KeyError:
        raise NoSuchContainer(name) from None


async def _remove_network(name: str, scene: ProjectContext, tell: Emit) -> None:
    _emit_resource_progress("Network", name, "Removing", tell)
    if await scene.networks.remove_network(name):
        _emit_resource_progress("Network", name, "Removed", tell, done=True)
    else:
        _emit_resource_progress("Network", name, "Resource is still in use", tell, state="warning")


async def _remove_volume(op: RemoveVolume, tell: Emit) -> None:
    name = op.name
    _emit_resource_progress("Volume", name, "Removing", tell)
    if volume_users(name, running=op.anew):
        _emit_resource_progress("Volume", name, "Resource is still in use", tell, state="warning")
        return
    await asyncio.to_thread(volumes.remove_volume, name)
    _emit_resource_progress("Volume", name, "Removed", tell, done=True)


async def _wait(op: WaitFor, scene: ProjectContext, tell: Emit) -> None:
    """Wait until a condition is met, or cannot be any more."""
    said = False
    try:
        async with asyncio.timeout(op.timeout):
            while True:
                there = [
                    scene.containers[name] for name in op.containers if name in scene.containers
                ]
                verdict = conditions.check_condition(
                    op.service,
                    op.condition,
                    [keeper.snapshot for keeper in there],
                    required=op.required,
                    now=time.time(),
                )
                if verdict.state != "waiting":
                    break
                if not said:
                    said = True
                    for keeper in there:
                        emit_progress(tell, keeper.record.name, "Waiting")
                with contextlib.suppress(TimeoutError):  # time itself may make a difference
                    await asyncio.wait_for(scene.wait_for_change(), conditions.STABLE_AFTER)
    except TimeoutError:
        raise conditions.NotHealthyInTime(op.timeout or 0) from None
    _report_verdict(op, verdict, [keeper.record.name for keeper in there], tell)


def _report_verdict(
    op: WaitFor, verdict: conditions.ConditionVerdict, names: list[str], tell: Emit
) -> None:
    if verdict.state == "failed":
        for name in names:
            emit_progress(
                tell,
                name,
                "Error",
                state="error" if op.required else "warning",
                detail=verdict.text,
            )
        if op.required:
            raise conditions.DependencyFailed(verdict.text)
        tell(WarningEvent(text=verdict.text))
        return
    word = "Exited" if op.condition == "service_completed_successfully" else "Healthy"
    if op.condition != "service_started":
        for name in names:
            emit_progress(tell, name, word, state="done")


def _emit_resource_progress(
    kind: str, name: str, status: str, tell: Emit, *, done: bool = False, state: str = "working"
) -> None:
    tell(Progress(kind=kind, name=name, status=status, state="done" if done else state))
