"""Locks that are owned, and drafts that their makers' death leaves behind."""

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cntnr_compose.core.files import locks
from cntnr_compose.host import files


def test_a_lock_has_one_owner(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    descriptor = files.acquire_lock(lock)
    assert descriptor is not None
    assert files.acquire_lock(lock) is None
    assert locks.is_locked(lock)
    os.close(descriptor)
    assert not locks.is_locked(lock)


def test_a_lock_whose_file_was_removed_by_its_last_owner_is_not_owned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "a.lock"
    opened: list[int] = []
    real = os.open

    def open_then_remove(path: Path, flags: int, mode: int = 0o777) -> int:
        descriptor = real(path, flags, mode)
        if not opened:
            lock.unlink()  # what the last owner does, just before it lets go
        opened.append(descriptor)
        return descriptor

    monkeypatch.setattr(files.os, "open", open_then_remove)
    descriptor = files.acquire_lock(lock)
    assert descriptor is not None
    assert len(opened) == 2
    assert os.fstat(descriptor).st_ino == lock.stat().st_ino
    os.close(descriptor)


def test_asking_for_a_lock_makes_no_file(tmp_path: Path) -> None:
    assert not locks.is_locked(tmp_path / "a.lock")
    assert list(tmp_path.iterdir()) == []


def test_folders_that_vanish_while_they_are_searched_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("gone", "there", ".hidden"):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "inner/record.json").touch()
    scandir = os.scandir

    def scan(folder: str | Path) -> object:
        if str(folder).endswith("gone"):
            files.remove_tree(tmp_path / "gone")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", scan)
    paths = files.find_paths(tmp_path, "*/*/record.json")
    assert paths == [tmp_path / name / "inner/record.json" for name in (".hidden", "there")]
    assert files.find_paths(tmp_path / "gone", "*") == []


def test_the_status_of_a_file_that_vanishes_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").write_text("four")
    paths = [tmp_path / "gone", tmp_path / "there"]
    monkeypatch.setattr(files, "find_paths", lambda _folder, _pattern: paths)
    statuses = files.find_statuses(tmp_path, "*")
    assert {path.name: status.st_size for path, status in statuses.items()} == {"there": 4}


def test_a_folder_is_made_while_its_empty_parent_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir, calls = os.mkdir, []

    def make(path: Path, mode: int = 0o777) -> None:
        calls.append(path)
        mkdir(path, mode)
        if len(calls) == 2:
            path.rmdir()

    monkeypatch.setattr(os, "mkdir", make)
    files.make_folder(tmp_path / "project/container")
    assert (tmp_path / "project/container").is_dir()


def test_the_draft_of_a_dead_process_is_removed_by_the_next_one(tmp_path: Path) -> None:
    dead = tmp_path / ".draft-dead"
    dead.mkdir()
    (dead / "half").write_text("")
    with files.staging_folder(tmp_path) as first:
        assert not dead.exists()
        with files.staging_folder(tmp_path) as second:
            assert first.exists()
            assert second.exists()
    assert not first.exists()
    assert not second.exists()


def test_a_draft_that_goes_is_not_swept_by_one_that_comes(tmp_path: Path) -> None:
    def work() -> None:
        for _ in range(300):
            with files.staging_folder(tmp_path) as path:
                (path / "a").mkdir()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work) for _ in range(4)]:
            done.result()
    assert list(tmp_path.glob(".draft-*")) == []


@pytest.mark.parametrize(("text", "half"), [('{"a": 1}', False), ('{"a": ', True), ("", True)])
def test_what_is_no_json_is_half_a_file(tmp_path: Path, text: str, half: bool) -> None:
    (tmp_path / "a.json").write_text(text)
    assert files.is_incomplete(tmp_path / "a.json") is half
    assert files.is_incomplete(tmp_path / "none.json")


def test_a_tree_of_any_depth_is_removed(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    folder = os.open(top, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=folder)
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
        below = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(folder)
    files.remove_tree(top)
    assert list(tmp_path.iterdir()) == []


def test_whatever_is_in_a_tree_is_removed_and_no_link_is_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("")
    outside.chmod(0o755)
    top = tmp_path / "top"
    (top / "a/b/c").mkdir(parents=True)
    (top / "a/b/link").symlink_to(outside)
    (top / "link").symlink_to(outside / "file")
    (top / "loop").symlink_to("loop")
    os.mkfifo(top / "a/pipe")
    (top / "a/b").chmod(0)
    (top / "a").chmod(0o500)
    files.remove_tree(top)
    assert list(tmp_path.iterdir()) == [outside]
    assert list(outside.iterdir()) == [outside / "file"]
    assert outside.stat().st_mode & 0o777 == 0o755


def test_what_is_no_tree_is_removed_or_was_not_there(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/")
    (tmp_path / "file").write_text("")
    for name in ("pipe", "link", "file", "absent"):
        files.remove_tree(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_folders_that_cannot_be_moved_are_removed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rename(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "an overlay")

    for name in ("a/b/c", "d/e"):
        (tmp_path / "top" / name).mkdir(parents=True)
    (tmp_path / "top/a/b/file").write_text("")
    monkeypatch.setattr(files.os, "rename", rename)
    files.remove_tree(tmp_path / "top")
    assert list(tmp_path.iterdir()) == []


def test_changes_are_synced_together_in_the_background(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    turn = threading.Event()
    monkeypatch.setattr(files.time, "sleep", lambda _: turn.wait(9))
    monkeypatch.setattr(
        files.os, "fsync", lambda fd: synced.append(os.readlink(f"/proc/self/fd/{fd}"))
    )
    for _ in range(3):
        (tmp_path / "a").touch()
        files.sync_soon(tmp_path / "a")
    files.sync_soon(tmp_path / "gone")
    assert synced == []
    turn.set()
    for thread in [each for each in threading.enumerate() if each.name == "sync"]:
        thread.join(9)
    assert synced == [f"{tmp_path}/a", str(tmp_path), str(tmp_path)]
    files.sync_soon(tmp_path / "a")
    for thread in [each for each in threading.enumerate() if each.name == "sync"]:
        thread.join(9)
    assert len(synced) == 5


def test_a_file_system_is_waited_for(tmp_path: Path) -> None:
    assert files.sync_file_system(tmp_path)
    assert files.sync_file_system(tmp_path / "absent")


def test_folders_are_moved_away(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    files.move_away(tmp_path, ["a", "absent"])
    [moved] = tmp_path.iterdir()
    assert moved.name.startswith(files.DETACHED_PREFIX)
