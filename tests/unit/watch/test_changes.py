"""Batches of changes, with and without notifications."""

import pytest

from cntnr_compose.watch import changes as changes_module
from cntnr_compose.watch.changes import FileChanges
from cntnr_compose.watch.file_events import EventsLost
from cntnr_compose.watch.file_tree import FileTree


class Kernel:
    """Notifications that a test writes."""

    def __init__(self):
        self.batches = []
        self.watched = []
        self.open = 0
        self.error = None

    def start(self, folders, _is_stopped):
        if self.error:
            raise self.error
        self.watched.append({folder.rpartition("/")[2] for folder in folders})
        self.open += 1
        return self

    def wait(self, timeout):
        assert timeout <= 60
        batch = self.batches.pop(0) if self.batches else set()
        if isinstance(batch, Exception):
            raise batch
        if callable(batch):
            batch = batch()
        return batch

    def close(self):
        self.open -= 1


@pytest.fixture
def top(tmp_path, monkeypatch):
    monkeypatch.setattr(changes_module, "LOOK_AFTER", 0.02)
    monkeypatch.setattr(changes_module, "POLL_INTERVAL", 0.02)
    top = tmp_path / "top"
    (top / "a").mkdir(parents=True)
    (top / "f").write_text("")
    return top


@pytest.fixture
def kernel():
    return Kernel()


@pytest.fixture
def file_changes(top, kernel):
    return make(top, kernel)


def make(top, kernel, **more):
    tree = FileTree([str(top)], lambda _: True, lambda _: None)
    return FileChanges(tree, start=kernel.start, **more)


def names(top, batch):
    return sorted(path[len(str(top)) + 1 :] for path in batch)


def test_a_batch_has_what_really_changed(top, kernel, file_changes):
    (top / "f").write_text("new")
    kernel.batches.append({str(top / "f"), str(top / "a"), "/elsewhere"})
    assert names(top, file_changes.next_batch(5)) == ["f"]


def test_new_folders_are_watched(top, kernel, file_changes):
    def make_folder():
        (top / "n").mkdir()
        (top / "n/x").write_text("")
        return {str(top / "n")}

    kernel.batches.append(make_folder)
    assert names(top, file_changes.next_batch(5)) == ["n", "n/x"]
    assert kernel.watched == [{"top", "a"}, {"top", "a", "n"}]
    assert kernel.open == 1
    file_changes.close()
    assert kernel.open == 0


def test_what_is_made_before_a_new_folder_is_watched_is_found(top, kernel, file_changes):
    real_start = kernel.start

    def start(folders, is_stopped):
        (top / "n/late").write_text("")
        return real_start(folders, is_stopped)

    file_changes._start = start
    (top / "n").mkdir()
    kernel.batches.append({str(top / "n")})
    assert names(top, file_changes.next_batch(5)) == ["n", "n/late"]


def test_after_a_burst_everything_is_looked_at(top, kernel, file_changes):
    (top / "f").write_text("new")
    (top / "a/dropped").write_text("")  # the queue of the kernel was full
    kernel.batches.append({str(top / "f")})
    assert names(top, file_changes.next_batch(5)) == ["f"]
    assert names(top, file_changes.next_batch(5)) == ["a/dropped"]


def test_lost_notifications_start_again(top, kernel, file_changes):
    (top / "f").write_text("new")
    kernel.batches.append(EventsLost("x"))
    assert names(top, file_changes.next_batch(5)) == ["f"]
    assert len(kernel.watched) == 2
    assert kernel.open == 1


def test_without_notifications_files_are_compared(top, kernel):
    reasons = []
    kernel.error = OSError("no more watches")
    file_changes = make(top, kernel, on_polling=reasons.append)
    assert reasons == ["no more watches"]
    (top / "a/x").write_text("")
    assert names(top, file_changes.next_batch(5)) == ["a/x"]


def test_a_folder_that_goes_while_it_is_watched(top, kernel, file_changes):
    real_start = kernel.start

    def start(folders, is_stopped):
        if (top / "n").exists():
            (top / "n").rmdir()
            raise FileNotFoundError
        return real_start(folders, is_stopped)

    file_changes._start = start
    (top / "n").mkdir()
    kernel.batches.append({str(top / "n")})
    assert names(top, file_changes.next_batch(5)) == ["n"]
    assert names(top, file_changes.next_batch(0.1)) == []


def test_no_change_is_an_empty_batch(file_changes):
    assert file_changes.next_batch(0.01) == set()


def test_it_stops_when_told(top, kernel):
    assert make(top, kernel, is_stopped=lambda: True).next_batch(60) == set()
