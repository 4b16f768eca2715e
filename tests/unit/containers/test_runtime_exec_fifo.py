"""Containers of runc are started by the FIFO at which `runc init` waits."""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from cntnr_compose.containers.runtime import exec_fifo, oci_runtime
from cntnr_compose.containers.runtime.oci_runtime import OciRuntime


@pytest.fixture
def fifo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Make the FIFO of a container of runc; nothing waits at it."""
    runtime = OciRuntime(program="runc", kind="runc")
    monkeypatch.setattr(oci_runtime, "created_with", lambda _id: runtime)
    monkeypatch.setattr(oci_runtime, "exec_fifo", lambda _id: tmp_path / "exec.fifo")
    monkeypatch.setattr(oci_runtime, "is_waiting", lambda _id: False)
    monkeypatch.setattr(oci_runtime, "read_pid", lambda _id: 0)
    monkeypatch.setattr(exec_fifo, "LOOK_INTERVAL", 0.01)
    os.mkfifo(tmp_path / "exec.fifo")
    return tmp_path / "exec.fifo"


def write_when_opened(fifo: Path, content: bytes) -> threading.Thread:
    """Write as `runc init` does, in a thread that ends with the test."""

    def write() -> None:
        with fifo.open("wb", buffering=0) as opened:
            opened.write(content)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def test_who_waits_at_the_fifo_goes_on(fifo: Path) -> None:
    waiting = write_when_opened(fifo, b"0")
    assert asyncio.run(exec_fifo.release("a"))
    waiting.join(1)
    assert not waiting.is_alive()
    assert not fifo.exists()


def test_one_that_has_yet_to_come_to_the_fifo_is_waited_for(
    fifo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(range(3))

    def comes_late(_id: str) -> bool:
        if next(looks) == 2:
            write_when_opened(fifo, b"0")
        return True

    monkeypatch.setattr(oci_runtime, "is_waiting", comes_late)
    assert asyncio.run(exec_fifo.release("a"))
    assert not fifo.exists()


def test_of_one_that_is_gone_the_runtime_is_asked(fifo: Path) -> None:
    assert not asyncio.run(exec_fifo.release("a"))
    assert fifo.exists()
    waiting = write_when_opened(fifo, b"")  # it ends instead
    assert not asyncio.run(exec_fifo.release("a"))
    waiting.join(1)


def test_one_that_was_started_before_is_not_started_again(
    fifo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oci_runtime, "read_pid", lambda _id: 7)
    assert asyncio.run(exec_fifo.release("a"))
    assert not fifo.exists()


def test_without_a_fifo_and_with_crun_the_runtime_is_asked(
    fifo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fifo.unlink()
    assert not asyncio.run(exec_fifo.release("a"))
    os.mkfifo(fifo)
    crun = OciRuntime(program="crun", kind="crun")
    monkeypatch.setattr(oci_runtime, "created_with", lambda _id: crun)
    monkeypatch.setattr(oci_runtime, "read_pid", lambda _id: 7)
    assert not asyncio.run(exec_fifo.release("a"))
    assert fifo.exists()
