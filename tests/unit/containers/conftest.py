"""Run a test's coroutine on a fake machine; make layers of an image."""

import asyncio
import os
import stat
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


@pytest.fixture
def layers(tmp_path: Path) -> list[Path]:
    """Make two layers, top first; the lower one has a file that the upper one removes."""
    top, bottom = tmp_path / "top", tmp_path / "bottom"
    for path in ("bin/sh", "bin/yes", "etc/passwd", "etc/gone", "deep/er/file", "empty/x"):
        (bottom / path).parent.mkdir(parents=True, exist_ok=True)
        (bottom / path).write_text("x")
    (top / "etc").mkdir(parents=True)
    white_out(top / "etc/gone")
    (tmp_path / "upper").mkdir()
    return [top, bottom]


def white_out(path: Path) -> None:
    os.mknod(path, stat.S_IFCHR | 0o600, 0)  # anybody may make this one device
