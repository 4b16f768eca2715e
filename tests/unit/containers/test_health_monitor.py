"""Results of health checks as they stand in the status, and the events of a change."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cntnr_compose.containers import health_monitor
from cntnr_compose.containers.state import records
from cntnr_compose.containers.state.container_state import ContainerState
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.paths import data
from cntnr_compose.host import files
from cntnr_compose.model.observed import Record, Status
from cntnr_compose.model.service import Healthcheck, Service


class ProbeFailed(CntnrError):
    """Fail a probe that cannot be run."""


def monitor(
    monkeypatch: pytest.MonkeyPatch, *results: int | CntnrError | None
) -> tuple[Status, list[str]]:
    """Monitor a container with these probe results; return its status and the emitted events."""
    files.remove_tree(data())
    answers = list(results)
    events: list[str] = []
    check = Healthcheck(test=("CMD", "true"), interval=0.001, timeout=5, retries=2)
    record = Record(
        id="a" * 64,
        name="p-a-1",
        project="p",
        service="a",
        definition=Service(name="a", healthcheck=check),
    )
    records.write_record(record)
    container = ContainerState(record, Status(state="running", health="starting"), lambda: None)

    async def run_in_container(
        _context: object, _record: object, _hook: object, feed: Any, **_: object
    ) -> int | None:
        if not answers:
            await asyncio.Event().wait()
        feed(b"output")
        answer = answers.pop(0)
        if isinstance(answer, CntnrError):
            raise answer
        return answer

    async def scenario() -> None:
        monkeypatch.setattr(health_monitor, "run_in_container", run_in_container)
        context = SimpleNamespace(
            emit_event=lambda _record, action, **more: events.append(f"{action} {more['health']}"),
            note=lambda *_, **__: None,
        )
        task = asyncio.create_task(health_monitor.monitor_health(cast("Any", context), container))
        async with asyncio.timeout(20):
            while len(container.status.probes) < min(len(results), 5) or answers:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(scenario())
    return container.status, events


def test_a_probe_that_succeeds_makes_a_container_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    status, events = monitor(monkeypatch, 0, 0)
    assert (status.health, events) == ("healthy", ["health_status healthy"])
    assert [probe.output for probe in status.probes] == ["output", "output"]


def test_failures_in_a_row_make_a_container_unhealthy(monkeypatch: pytest.MonkeyPatch) -> None:
    status, events = monitor(monkeypatch, 0, 1, 1)
    assert (status.health, status.failing_streak) == ("unhealthy", 2)
    assert events == ["health_status healthy", "health_status unhealthy"]


def test_the_last_five_results_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    status, _ = monitor(monkeypatch, *range(7))
    assert [probe.exit_code for probe in status.probes] == [2, 3, 4, 5, 6]


def test_a_probe_that_takes_too_long_or_cannot_run_has_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    status, _ = monitor(monkeypatch, None, ProbeFailed("no such user"))
    late, unknown = status.probes
    assert (late.exit_code, late.output) == (-1, "Health check exceeded timeout (5s): output")
    assert (unknown.exit_code, unknown.output) == (126, "no such user")
