"""What a plan's operations do when the command is gone."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core.events import ignore_event
from cntnr_compose.model.plan import WaitFor
from cntnr_compose.supervisor import conditions, operations


@pytest.mark.parametrize("turns", range(6))
def test_a_wait_is_cancelled_also_just_when_something_changes(
    turns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.11's `asyncio.wait_for` loses a cancellation a turn after what it waits for."""
    context = ProjectContext("p", cast("Any", SimpleNamespace()), cast("Any", None))
    waiting = conditions.ConditionVerdict(state="waiting")
    monkeypatch.setattr(operations, "_check_condition", lambda *_: waiting)
    op = WaitFor(service="db", containers=(), condition="service_healthy")

    async def scenario() -> None:
        work = operations.execute_operation(op, context, ignore_event, lambda: None)
        task = asyncio.create_task(work)
        await asyncio.sleep(0.01)
        context.notify_change()
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task}, timeout=1)
        assert task.cancelled()

    asyncio.run(scenario())
