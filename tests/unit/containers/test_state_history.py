"""The history of services: bounded, and whole but for lines that were broken off."""

from pathlib import Path

import pytest

from cntnr_compose.containers.state import history, restart_policy
from cntnr_compose.containers.state.history import Action, PastEvent
from cntnr_compose.core import paths
from cntnr_compose.host import event_log, files
from cntnr_compose.model.service import RestartPolicy


@pytest.fixture(autouse=True)
def nothing_there() -> None:
    files.remove_tree(paths.data())


def add(time: float, action: Action = "started", service: str = "web", **more: object) -> None:
    entry = PastEvent(time=time, action=action, **more)  # type: ignore[arg-type]
    history.add_entry("shop", service, entry)


def times(service: str = "web") -> list[float]:
    return [entry.time for entry in history.read_entries("shop", service)]


def path() -> Path:
    return paths.history("shop") / "web.jsonl"


def test_entries_are_read_in_order_and_removed() -> None:
    assert times() == []
    for number in (1, 2):
        add(number)
    add(3, service="..")
    assert times() == [1, 2]
    assert times("..") == [3]
    history.remove_history("shop", ["web"])
    assert (times(), times("..")) == ([], [3])
    history.remove_history("shop", [".."])
    assert not paths.history("shop").exists()
    history.remove_history("shop")


def test_a_line_that_was_broken_off_is_passed_over() -> None:
    add(1)
    with path().open("ab") as file:
        file.write(b'\n{"time":2,"act')
    add(3)
    with path().open("ab") as file:
        file.write(b"\n\xff\n[]")
    assert times() == [1, 3]


def test_a_file_stays_small_and_keeps_the_latest_of_each_kind() -> None:
    add(0, "recreated", cause="x")
    add(0.5, "unhealthy", number=2)
    for number in range(1, 1000):
        add(number, cause="y" * 5000, output="z" * 5000)
        assert path().stat().st_size <= history.MAX_SIZE + 3 * history.MAX_TEXT
    kept = history.read_entries("shop", "web")
    assert [entry.time for entry in kept[:2]] == [0, 0.5]
    assert kept[-1].time == 999
    assert len(kept[-1].cause) == history.MAX_TEXT


def test_a_full_disk_keeps_nobody_from_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(event_log.os, "write", full)
    add(1)
    assert times() == []


@pytest.mark.parametrize(
    ("policy", "code", "stopped", "words"),
    [
        ("no", 1, False, "it has no restart policy"),
        ("on-failure", 0, False, "its restart policy is on-failure"),
        ("always", 0, True, "a command ended it"),
        ("on-failure", 1, False, "after 3 attempts"),
    ],
)
def test_decisions_in_words(policy: str, code: int, *, stopped: bool, words: str) -> None:
    told = restart_policy.explain_decision(
        RestartPolicy(condition=policy, max_attempts=3),
        None,
        exit_code=code,
        stopped_by_user=stopped,
    )
    assert words in told
    restart = restart_policy.PendingRestart(delay=0.2, attempt=2)
    told = restart_policy.explain_decision(
        RestartPolicy(condition=policy), restart, exit_code=code, stopped_by_user=stopped
    )
    assert told == f"restarts in 0.2 s, attempt 2; policy {policy}"
