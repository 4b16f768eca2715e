"""Run a test's coroutine on a fake machine."""

import asyncio
from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.host import files
from tests.unit.containers.machine import Machine, Play, Scenario


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Play:
    """Return a function that runs a coroutine on a `Machine`, and cancels the tasks that are left."""
    files.remove_tree(paths.data())
    monkeypatch.setattr(paths, "holder_tmpfs", lambda: tmp_path)

    def run(scenario: Scenario) -> None:
        async def whole() -> None:
            machine = Machine(monkeypatch)
            try:
                async with asyncio.timeout(20):
                    await scenario(machine)
            finally:
                await machine.context.cancel_tasks()

        asyncio.run(whole())

    return run
