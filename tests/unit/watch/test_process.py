"""The pipes of the watch process, and the lock."""

import os

import pytest

from cntnr_compose.watch import process
from cntnr_compose.watch.lock import AlreadyWatched, WatchLock
from cntnr_compose.watch.process import LineReader


@pytest.fixture
def pipe():
    readable, writable = os.pipe()
    reader = LineReader(readable)
    yield reader, writable
    reader.close()


def test_lines_are_read_when_they_are_complete(pipe):
    reader, writable = pipe
    assert reader.read_lines() == []
    os.write(writable, b"a\nb")
    assert reader.read_lines() == [b"a"]
    os.write(writable, b"c\n\nd")
    assert reader.read_lines() == [b"bc", b""]
    os.close(writable)
    assert reader.read_lines() == [b"d"]
    assert not reader.is_open
    assert reader.read_lines() == []


def test_a_line_without_end_is_read_in_pieces(pipe, monkeypatch):
    monkeypatch.setattr(process, "MAX_LINE", 10)
    reader, writable = pipe
    os.write(writable, b"x" * 25)
    assert b"".join(reader.read_lines()) == b"x" * 25
    os.close(writable)


def test_one_command_watches_a_project(tmp_path, monkeypatch):
    monkeypatch.setenv("CNTNR_RUNTIME_DIR", str(tmp_path / "run"))
    (tmp_path / "run").mkdir(mode=0o700)
    lock = WatchLock("shop")
    with pytest.raises(AlreadyWatched, match=f'project "shop": process with PID {os.getpid()} is'):
        WatchLock("shop")
    WatchLock("other").close()
    lock.close()
    WatchLock("shop").close()
    assert list((tmp_path / "run/w").iterdir()) == []
