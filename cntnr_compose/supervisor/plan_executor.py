"""Carries out a plan: each step as soon as those it comes after are done. It has no opinions."""

import asyncio
import contextlib
import time
from typing import assert_never

from cntnr_compose.containers import create as creation
from cntnr_compose.containers.managed import Keeper
from cntnr_compose.containers.state.project_context import Scene, told
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
GOES_ON = (KillContainer, RemoveContainer, RemoveNetwork, RemoveVolume)


class SeveralFailed(CntnrError):
    """More than one step of taking down failed."""

    def __init__(self, errors: list[CntnrError]) -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.hint = next((error.hint for error in errors if error.hint), "")


class NoSuchContainer(CntnrError):
    """A plan names a container that is gone meanwhile."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no such container: {name}")


async def carry_out(plan: Plan, scene: Scene, tell: Emit) -> None:
    """Run every step; the first failure cancels those that have not finished.

    What was prepared and is not started now is as it was before. Raises the `CntnrError` of the step
    that failed; `SeveralFailed`.
    """
    for line in plan.warnings:
        tell(WarningEvent(text=line))
    done = {step.number: asyncio.Event() for step in plan.steps}
    failed: list[CntnrError] = []

    async def when_ready(step: Step) -> None:
        for number in step.after:
            await done[number].wait()
        try:
            await carry_out_one(step.operation, scene, tell)
        except CntnrError as error:
            if not isinstance(step.operation, GOES_ON):
                raise
            failed.append(error)
        done[step.number].set()

    try:
        async with asyncio.TaskGroup() as group:
            for step in plan.steps:
                group.create_task(when_ready(step), name=step.operation.describe())
    except ExceptionGroup as errors:
        await process.clean_up(_take_back(plan, scene))
        raise cause_of(errors) from errors
    except asyncio.CancelledError:
        await process.clean_up(_take_back(plan, scene))
        raise
    if failed:
        raise failed[0] if len(failed) == 1 else SeveralFailed(failed)


def starts(plan: Plan) -> bool:
    """Emit whether a plan sets containers up, which need their networks."""
    return any(isinstance(one.operation, PrepareContainer | StartContainer) for one in plan.steps)


async def _take_back(plan: Plan, scene: Scene) -> None:
    names = {
        one.operation.name for one in plan.steps if isinstance(one.operation, PrepareContainer)
    }
    async with asyncio.TaskGroup() as group:
        for name in names & scene.keepers.keys():
            group.create_task(scene.keepers[name].take_back())


def cause_of(errors: BaseExceptionGroup[BaseException]) -> BaseException:
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


async def carry_out_one(op: Operation, scene: Scene, tell: Emit) -> None:
    """Run one operation."""
    match op:
        case CreateNetwork(network=network):
            _told("Network", network.name, "Creating", tell)
            await scene.networks.create(network, op.config_hash, op.labels)
            _told("Network", network.name, "Created", tell, done=True)
        case RemoveNetwork(name=name):
            await _remove_network(name, scene, tell)
        case CreateVolume(volume=volume):
            _told("Volume", volume.name, "Creating", tell)
            owner = "" if volume.external else scene.project
            volumes.create(volume, op.config_hash, op.labels, owner)
            _told("Volume", volume.name, "Created", tell, done=True)
        case RemoveVolume():
            await _remove_volume(op, tell)
        case CreateContainer():
            await creation.create(op, scene, tell)
        case PrepareContainer(name=name, early=early):
            await _keeper(scene, name).prepare(tell, early=early)
        case StartContainer(name=name):
            await _keeper(scene, name).start(tell)
        case StopContainer(name=name, grace=grace):
            await _keeper(scene, name).stop(tell, grace, again=op.again)
        case KillContainer(name=name, signal=signal):
            await _keeper(scene, name).kill(tell, signal)
        case RemoveContainer(name=name, volumes=with_volumes):
            if name in scene.keepers:
                await scene.keepers[name].remove(tell, volumes=with_volumes)
        case WaitFor():
            await _wait(op, scene, tell)
        case _:
            assert_never(op)


def _keeper(scene: Scene, name: str) -> Keeper:
    try:
        return scene.keepers[name]
    except KeyError:
        raise NoSuchContainer(name) from None


async def _remove_network(name: str, scene: Scene, tell: Emit) -> None:
    _told("Network", name, "Removing", tell)
    if await scene.networks.remove(name):
        _told("Network", name, "Removed", tell, done=True)
    else:
        _told("Network", name, "Resource is still in use", tell, state="warning")


async def _remove_volume(op: RemoveVolume, tell: Emit) -> None:
    name = op.name
    _told("Volume", name, "Removing", tell)
    if volume_users(name, running=op.anew):
        _told("Volume", name, "Resource is still in use", tell, state="warning")
        return
    await asyncio.to_thread(volumes.remove, name)
    _told("Volume", name, "Removed", tell, done=True)


async def _wait(op: WaitFor, scene: Scene, tell: Emit) -> None:
    """Wait until a condition is met, or cannot be any more."""
    said = False
    try:
        async with asyncio.timeout(op.timeout):
            while True:
                there = [scene.keepers[name] for name in op.containers if name in scene.keepers]
                verdict = conditions.judge(
                    op.service,
                    op.condition,
                    [keeper.container for keeper in there],
                    required=op.required,
                    now=time.time(),
                )
                if verdict.state != "waiting":
                    break
                if not said:
                    said = True
                    for keeper in there:
                        told(tell, keeper.record.name, "Waiting")
                with contextlib.suppress(TimeoutError):  # time itself may make a difference
                    await asyncio.wait_for(scene.change(), conditions.STEADY)
    except TimeoutError:
        raise conditions.NotHealthyInTime(op.timeout or 0) from None
    _settle(op, verdict, [keeper.record.name for keeper in there], tell)


def _settle(op: WaitFor, verdict: conditions.Verdict, names: list[str], tell: Emit) -> None:
    if verdict.state == "failed":
        for name in names:
            told(
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
            told(tell, name, word, state="done")


def _told(
    kind: str, name: str, status: str, tell: Emit, *, done: bool = False, state: str = "working"
) -> None:
    tell(Progress(kind=kind, name=name, status=status, state="done" if done else state))
