"""Processes of containers are told from each other and from those of the machine."""

import os
from pathlib import Path

import pytest

from cntnr_compose.client import processes
from cntnr_compose.host import proc
from cntnr_compose.host.namespaces import holder
from cntnr_compose.host.proc import ProcessStat
from cntnr_compose.model.observed import Container, Status
from tests.unit.cli.factories import container


def stat(pid: int, parent: int) -> ProcessStat:
    return ProcessStat(
        pid=pid, parent=parent, name=b"x", state="S", terminal=0, cpu_time=0, start=pid
    )


def test_exec_and_all_descendants_belong_to_a_container() -> None:
    # 10 is the first process, 11 its child in a namespace of its own, 12 a zombie, 20 came by exec.
    parents = {1: 0, 5: 1, 10: 5, 11: 10, 12: 11, 20: 6, 30: 5, 31: 30}
    listed = {pid: stat(pid, parent) for pid, parent in parents.items()}
    namespaces = dict.fromkeys(parents, "host") | {
        10: "own", 11: "nested", 12: "", 20: "own", 30: "other", 31: "other",
    }  # fmt: skip
    assert processes.select_members(10, listed, namespaces) == [10, 11, 12, 20]
    assert processes.select_members(30, listed, namespaces) == [30, 31]
    assert processes.select_members(10, listed, namespaces | {10: ""}) == [10, 11, 12]


def test_a_container_whose_pid_is_another_process_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = os.getpid()
    inside, born = proc.status_numbers(own, "NSpid")[-1], proc.start_time(own)
    held = holder.NamespaceHolder(parent=own, child=own, payload=1, born=(born, born))
    monkeypatch.setattr(holder, "find_holder", lambda: held)

    def find(pid: int, start: int) -> list[processes.ContainerProcess]:
        plain = container()
        started = Container(record=plain.record, status=Status(pid=pid, born=start))
        return processes.find_processes([started])[plain.record.id]

    line = Path("/proc/self/cmdline").read_bytes()[: processes.COMMAND_LIMIT + 1]
    by_pid = {process.stat.pid: process for process in find(inside, born)}
    assert by_pid[own].command_line == line
    assert find(inside, born + 1) == find(2**22 + 1, born) == find(0, 0) == []
    monkeypatch.setattr(holder, "find_holder", lambda: None)
    assert processes.find_processes([container()]) == {}
