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


def test_one_that_starts_while_all_are_ended_is_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_words: object, **_more: object) -> FakeProgram:
        skopeo.stop_all()  # just before its pid is known
        return FakeProgram()

    monkeypatch.setattr(skopeo.process, "popen", start)
    with pytest.raises(CopyFailed, match="cannot get image a:1: interrupted"):
        skopeo._run("docker.io/library/a:1", ["skopeo"])


def test_none_starts_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    skopeo.stop_all()
    monkeypatch.setattr(skopeo.process, "popen", pytest.fail)
    with pytest.raises(CopyFailed, match="interrupted"):
        skopeo._run("docker.io/library/a:1", ["skopeo"])
