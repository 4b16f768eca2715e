"""skopeo is ended with the command that started it."""

import threading

import pytest

from cntnr_compose.images.errors import CopyFailed
from cntnr_compose.images.transports import skopeo


class FakeProgram:
    """Stand in for a program that runs until it is ended."""

    pid = 1 << 22

    def __init__(self) -> None:
        self.ended = threading.Event()

    def terminate(self) -> None:
        self.ended.set()

    def wait(self) -> int:
        assert self.ended.wait(2), "nobody ends it"
        return -15


@pytest.fixture(autouse=True)
def own_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skopeo, "_stopped", threading.Event())


def test_one_that_starts_while_all_are_ended_is_ended_before_that_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = FakeProgram()
    stopping = threading.Thread(target=skopeo.stop_all)

    def start(*_words: object, **_more: object) -> FakeProgram:
        stopping.start()
        stopping.join(0.05)
        assert stopping.is_alive(), "it does not wait for what is being started"
        return program

    def kill(pid: int, _number: int) -> None:
        assert pid == program.pid
        program.terminate()

    monkeypatch.setattr(skopeo.process, "popen", start)
    monkeypatch.setattr(skopeo.os, "kill", kill)
    with pytest.raises(CopyFailed, match="cannot get image a:1: interrupted"):
        skopeo._run("docker.io/library/a:1", ["skopeo"])
    stopping.join(2)
    assert not stopping.is_alive()


def test_none_starts_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    skopeo.stop_all()
    monkeypatch.setattr(skopeo.process, "popen", pytest.fail)
    with pytest.raises(CopyFailed, match="interrupted"):
        skopeo._run("docker.io/library/a:1", ["skopeo"])
