"""A holder is kept while it is in use, and stopped and cleaned up otherwise."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.host import files, proc
from cntnr_compose.host.namespaces import rootlesskit
from cntnr_compose.host.namespaces.holder import HolderFailed, NamespaceHolder, find_holder

Record = Callable[[tuple[int, int]], NamespaceHolder]


def test_locks_of_the_dead_do_not_count(tmp_path: Path) -> None:
    locks = tmp_path / "run/cntnr/u"
    locks.mkdir(parents=True)
    (locks / "supervisor-1.lock").touch()
    assert not rootlesskit.is_used(tmp_path)
    assert list(locks.iterdir()) == []
    with files.file_lock(locks / "supervisor-2.lock"):
        assert rootlesskit.is_used(tmp_path)


def test_containers_whose_supervisor_was_killed_need_their_holder(
    record_holder: Record, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record_holder((70, 71))
    monkeypatch.setattr(proc, "start_time", {10: 70, 11: 71}.get)
    monkeypatch.setattr(
        NamespaceHolder, "proc_root_path", lambda _, path: tmp_path / path.relative_to("/")
    )
    (tmp_path / "run/cntnr/b/aaaaaaaaaaaa").mkdir(parents=True)
    assert not rootlesskit.stop_if_unused()
    assert find_holder() is not None


def test_the_files_of_a_holder_that_is_gone_are_removed(
    record_holder: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_holder((70, 71))
    (paths.make_data_folder(paths.holder_state()) / "holder.json").touch()
    monkeypatch.setattr(proc, "start_time", lambda _pid: 0)
    assert rootlesskit.stop_if_unused()
    assert not paths.holder().exists()
    assert not paths.holder_state().exists()


@pytest.mark.parametrize(
    ("start_time", "reason"),
    [
        ({10: 70, 11: 71}, "/run/cntnr/u, inside: Not a directory"),
        ({}, "they were ended from outside"),
    ],
)
def test_a_holder_into_which_nobody_may_look_is_stopped(
    record_holder: Record,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    start_time: dict[int, int],
    reason: str,
) -> None:
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _number: killed.append(pid))
    monkeypatch.setattr(proc, "start_time", lambda pid: 0 if killed else start_time.get(pid, 0))
    monkeypatch.setattr(NamespaceHolder, "proc_root_path", lambda _, path: tmp_path / "file/u")
    (tmp_path / "file").touch()
    monkeypatch.setattr(rootlesskit, "_start", lambda _: record_holder((70, 71)))
    monkeypatch.setattr(rootlesskit, "_find_lasting_holder", lambda: None)
    with (
        pytest.raises(HolderFailed, match=reason),
        rootlesskit.running_holder("x"),
    ):
        pass
    assert not paths.holder().exists()


@pytest.mark.parametrize("is_used", [False, True])
def test_an_interrupt_just_after_the_start_leaves_no_holder_but_one_in_use(
    record_holder: Record, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, is_used: bool
) -> None:
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _number: killed.append(pid))
    monkeypatch.setattr(proc, "start_time", lambda pid: 0 if 10 in killed else 60 + pid)
    monkeypatch.setattr(
        NamespaceHolder, "proc_root_path", lambda _, path: tmp_path / path.relative_to("/")
    )
    if is_used:
        (tmp_path / "run/cntnr/b/aaaaaaaaaaaa").mkdir(parents=True)

    def start(_while_starting: object) -> NamespaceHolder:
        record_holder((70, 71))
        raise KeyboardInterrupt

    monkeypatch.setattr(rootlesskit, "_start", start)
    with pytest.raises(KeyboardInterrupt), rootlesskit.running_holder("x"):
        pass
    assert killed == ([] if is_used else [10])
    assert paths.holder().exists() is is_used
