"""Forked children keep only the descriptors that they are to keep, and detached ones nothing else of ours."""

import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from cntnr_compose.host.children import forks

TEST_PROCESS, TEST_SESSION = os.getpid(), os.getsid(0)


def test_a_child_has_no_other_descriptors_than_it_is_given() -> None:
    readable, writable = os.pipe()
    lock = os.memfd_create("lock")  # like the lock of a file: held while anyone has it open
    child = forks.fork_child((writable,))
    if child == 0:
        kept = [number for number in range(1024) if _is_open(number)]
        os.write(writable, repr(kept).encode())
        os._exit(0)
    os.close(writable)
    os.close(lock)
    with os.fdopen(readable) as reply:
        assert reply.read() == repr(sorted({0, 1, 2, writable}))
    assert os.waitpid(child, 0)[1] == 0


def test_a_detached_process_has_a_session_streams_signals_and_a_title_of_its_own(
    tmp_path: Path,
) -> None:
    ours, theirs = socket.socketpair()
    forgotten = os.memfd_create("lock")
    previous = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with theirs:
            starter = forks.fork_detached(
                lambda: _describe(theirs),
                title="a title",
                kept=theirs.fileno(),
                log=str(tmp_path / "log"),
            )
        told = json.loads(ours.makefile().read())
        os.waitpid(starter, 0)
    finally:
        signal.signal(signal.SIGTERM, previous)
        os.close(forgotten)
        ours.close()
    assert told == {
        "line": "a title",
        "name": "a title",
        "leads its session": False,
        "session is ours": False,
        "parent is ours": False,
        "folder": "/",
        "input": "/dev/null",
        "output": str(tmp_path / "log"),
        "descriptors": [0, 1, 2, told["descriptors"][-1]],
        "SIGTERM": "SIG_DFL",
    }
    assert (tmp_path / "log").read_text() == "hello\n"
    with pytest.raises(ChildProcessError):
        os.waitpid(starter, 0)


def test_an_error_of_a_detached_process_goes_to_its_log(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            starter = forks.fork_detached(
                _fail, title="t", kept=theirs.fileno(), log=str(tmp_path / "log")
            )
        assert ours.recv(1) == b""
        os.waitpid(starter, 0)
    assert "LookupError" in (tmp_path / "log").read_text()


def _fail() -> None:
    raise LookupError


def _describe(wire: socket.socket) -> None:
    sys.stdout.write("hello\n")
    sys.stdout.flush()
    told = {
        "line": Path("/proc/self/cmdline").read_bytes().rstrip(b"\0").decode(),
        "name": Path("/proc/self/comm").read_text().strip(),
        "leads its session": os.getsid(0) == os.getpid(),
        "session is ours": os.getsid(0) == TEST_SESSION,
        "parent is ours": os.getppid() == TEST_PROCESS,
        "folder": str(Path.cwd()),
        "input": str(Path("/proc/self/fd/0").readlink()),
        "output": str(Path("/proc/self/fd/1").readlink()),
        "descriptors": [number for number in range(1024) if _is_open(number)],
        "SIGTERM": str(signal.Handlers(signal.getsignal(signal.SIGTERM)).name),
    }
    wire.sendall(json.dumps(told).encode())


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
