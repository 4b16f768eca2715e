"""Carry out a plan step by step, each as soon as the steps that it comes after are done."""

import asyncio
import contextlib
import time

from cntnr_compose.containers.managed import managed_containers
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, StepEnded, WarningEvent
from cntnr_compose.host import process
from cntnr_compose.model.plan import (
    CreateContainer,
    KillContainer,
    PauseContainer,
    Plan,
    PrepareContainer,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    StartContainer,
    Step,
    UnpauseContainer,
    WaitFor,
)
from cntnr_compose.reconcile.config_hash import network_hash
from cntnr_compose.reconcile.labels import network as network_labels
from cntnr_compose.supervisor.explain import note_unstarted
from cntnr_compose.supervisor.operations import execute_operation

# After one of these has failed the rest goes on, so that as little as possible is left, or left undone.
CONTINUE_AFTER_FAILURE = (
    KillContainer, PauseContainer, RemoveContainer, RemoveNetwork, RemoveVolume, UnpauseContainer,
)  # fmt: skip


class SeveralFailed(CntnrError):
    """More than one step failed, of those that do not keep the others from being done."""

    def __init__(self, errors: list[CntnrError]) -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.hint = next((error.hint for error in errors if error.hint), "")


class CommandInterrupted(CntnrError):
    """The command that a plan is carried out for is gone."""

    def __init__(self) -> None:
        super().__init__("the command was interrupted")


async def restore_networks(plan: Plan, context: ProjectContext) -> None:
    """Create the project's networks that containers need and that went with a holder, as in a reboot."""
    if context.intent is None:
        return
    prepared = {
        step.operation.name
        for step in plan.steps
        if isinstance(step.operation, PrepareContainer | StartContainer)
    }
    needed = {
        name
        for container in context.containers.values()
        if container.record.name in prepared
        for name in container.record.networks.values()
    }
    missing = needed - context.networks.observe().keys()
    for network in context.intent.networks.values():
        if network.name in missing and not network.external:
            digest = network_hash(network)
            written = network_labels(context.intent, network, digest)
            await context.networks.create_network(network, digest, written)


async def execute_plan(plan: Plan, context: ProjectContext, emit: Emit) -> None:
    """Run every step; the first failure cancels those that have not finished, unless they are independent.

    Containers that were prepared and are not started then are as they were before. Raises the `CntnrError` of
    the step that failed; `SeveralFailed`.
    """
    for line in plan.warnings:
        emit(WarningEvent(text=line))
    failures: list[CntnrError] = []
    begun = time.time()
    try:
        left_out = await _run_steps(plan, context, emit, failures)
    except ExceptionGroup as errors:
        await process.clean_up(_undo_prepared(plan, context))
        error = root_cause(errors)
        note_unstarted(plan, context, error, since=begun)
        raise error from errors
    except asyncio.CancelledError:
        await process.clean_up(_undo_prepared(plan, context))
        note_unstarted(plan, context, CommandInterrupted(), since=begun)
        raise
    if left_out:
        await _undo_prepared(plan, context)
        for step in plan.steps:
            if step.number in left_out:
                note_unstarted(Plan(steps=(step,)), context, left_out[step.number], since=begun)
    if failures:
        raise failures[0] if len(failures) == 1 else SeveralFailed(failures)


async def _run_steps(
    plan: Plan, context: ProjectContext, emit: Emit, failures: list[CntnrError]
) -> dict[int, CntnrError]:
    """Run the steps, each as soon as those that it comes after are done; collect what may fail.

    Return the independent steps that failed, and those that come after such, each with the error.
    """
    done = {step.number: asyncio.Event() for step in plan.steps}
    turn = asyncio.Semaphore(plan.parallel or len(plan.steps) or 1)
    left_out: dict[int, CntnrError] = {}

    async def run_when_ready(step: Step) -> None:
        for number in step.after:
            await done[number].wait()
        if failed := left_out.keys() & set(step.after):
            left_out[step.number] = left_out[min(failed)]
            done[step.number].set()
            return
        try:
            # Who waits for a condition does nothing, and must not keep others from what it waits for.
            async with contextlib.nullcontext() if isinstance(step.operation, WaitFor) else turn:
                await execute_operation(step.operation, context, emit, done[step.number].set)
        except CntnrError as error:
            if plan.independent:
                left_out[step.number] = error
                emit(step_failure(step, error))
            elif isinstance(step.operation, CONTINUE_AFTER_FAILURE):
                failures.append(error)
            else:
                raise
        else:
            if plan.independent:
                emit(StepEnded(number=step.number))
        done[step.number].set()

    async with asyncio.TaskGroup() as group:
        for step in plan.steps:
            group.create_task(run_when_ready(step), name=step.operation.describe())
    return left_out


def step_failure(step: Step, error: CntnrError) -> StepEnded:
    """Make the event that tells why an independent step has failed."""
    return StepEnded(
        number=step.number,
        error=error.kind,
        message=str(error),
        hint=error.hint,
        exit_code=error.exit_code,
        details=dict(error.details),
    )


def sets_up_containers(plan: Plan) -> bool:
    """Return whether a plan sets up containers: they need their networks."""
    return any(isinstance(step.operation, PrepareContainer | StartContainer) for step in plan.steps)


def requested_networks(plan: Plan, context: ProjectContext) -> set[str]:
    """Return the names of the networks of containers that a plan creates."""
    return {
        context.network_name(key)
        for step in plan.steps
        if isinstance(step.operation, CreateContainer)
        for key in step.operation.service.networks
    }


async def _undo_prepared(plan: Plan, context: ProjectContext) -> None:
    operations = [step.operation for step in plan.steps]
    names = {op.name for op in operations if isinstance(op, PrepareContainer)}
    async with asyncio.TaskGroup() as group:
        for name in names & context.containers.keys():
            group.create_task(managed_containers(context)[name].undo_prepare())


def root_cause(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the one error of a group that the user should see: a bug before an error of the user's."""
    flat: list[BaseException] = []
    ahead = list(errors.exceptions)
    while ahead:
        error = ahead.pop(0)
        if isinstance(error, BaseExceptionGroup):
            ahead = [*error.exceptions, *ahead]
        else:
            flat.append(error)
    bugs = (error for error in flat if not isinstance(error, CntnrError))
    return next(bugs, flat[0])
