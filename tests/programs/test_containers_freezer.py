"""Processes of a container are stopped and go on: by runc where there is a cgroup, else by signals."""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cntnr_compose.containers.runtime import freezer
from cntnr_compose.core import paths
from cntnr_compose.host import proc
from tests.fakes.programs import Programs

NAMESPACE = "mnt:[7]"


def are_stopped(pids: list[int], *, expected: bool) -> bool:
    """Tell whether all processes come to be stopped, or to run; a signal takes a moment."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        states = {proc.list_processes()[pid].state for pid in pids}
        if (states == {"T"}) if expected else ("T" not in states):
            return True
        time.sleep(0.005)
    return False


@pytest.fixture
def pids(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Start a process with a child, which stand for a container."""
    parent = subprocess.Popen(
        ["sh", "-c", "sleep 1000 & echo started; wait"], stdout=subprocess.PIPE
    )
    assert parent.stdout
    parent.stdout.readline()
    monkeypatch.setattr(proc, "namespace", lambda pid, _: NAMESPACE if pid == parent.pid else "")
    family = [parent.pid, *proc.find_descendants([parent.pid])]
    yield family
    for pid in family:
        os.kill(pid, signal.SIGKILL)
    parent.stdout.close()
    parent.wait()


def write_spec(monkeypatch: pytest.MonkeyPatch, folder: Path, group: str) -> None:
    monkeypatch.setattr(paths, "bundle", lambda _id: folder)
    monkeypatch.setattr(freezer.oci_runtime, "state_folder", lambda: folder / "runc")
    (folder / "config.json").write_text(json.dumps({"linux": {"cgroupsPath": group}}))


def test_without_a_cgroup_signals_reach_parents_and_children(
    programs: Programs, pids: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    programs.add("runc")
    write_spec(monkeypatch, tmp_path, "")
    assert len(pids) == 2
    assert [pid for pid, _ in freezer.list_processes(pids[0])] == pids
    assert not asyncio.run(freezer.freeze("abc", "p-web-1", pids[0]))
    assert are_stopped(pids, expected=True)
    asyncio.run(freezer.thaw("abc", pids[0]))
    assert are_stopped(pids, expected=False)
    assert programs.calls("runc") == []


def test_a_cgroup_is_frozen_by_runc(
    programs: Programs, pids: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    programs.add("runc")
    write_spec(monkeypatch, tmp_path, "/user/abc")
    assert asyncio.run(freezer.freeze("abc", "p-web-1", pids[0]))
    asyncio.run(freezer.thaw("abc", pids[0]))
    assert are_stopped(pids, expected=False)
    verbs = [call[-2:] for call in programs.calls("runc")]
    assert verbs == [["pause", "abc"], ["resume", "abc"]]


def test_where_runc_fails_signals_do_it(
    programs: Programs, pids: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    programs.add("runc", "echo cannot toggle freezer >&2; exit 1")
    write_spec(monkeypatch, tmp_path, "/user/abc")
    assert not asyncio.run(freezer.freeze("abc", "p-web-1", pids[0]))
    assert are_stopped(pids, expected=True)
    asyncio.run(freezer.thaw("abc", pids[0]))
    assert are_stopped(pids, expected=False)


def test_processes_that_multiply_without_end_run_on(
    programs: Programs, pids: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_spec(monkeypatch, tmp_path, "")
    listed = freezer.list_processes
    counter = iter(range(10**9))
    monkeypatch.setattr(freezer, "STOP_TIMEOUT", 0.05)
    monkeypatch.setattr(
        freezer, "list_processes", lambda pid: [*listed(pid), (2**22 + 1, next(counter))]
    )
    with pytest.raises(freezer.FreezeFailed, match="cannot pause container p-web-1"):
        asyncio.run(freezer.freeze("abc", "p-web-1", pids[0]))
    assert are_stopped(pids, expected=False)


def test_nothing_is_stopped_for_a_process_that_is_gone(
    monkeypatch: pytest.MonkeyPatch, pids: list[int]
) -> None:
    monkeypatch.setattr(proc, "namespace", lambda _pid, _kind: "")
    assert freezer.list_processes(pids[0]) == []
