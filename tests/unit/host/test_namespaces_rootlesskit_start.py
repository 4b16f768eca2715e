"""rootlesskit's command line, and what is left of a start that was interrupted."""

import os
from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.host import proc
from cntnr_compose.host.namespaces import rootlesskit, rootlesskit_start, subids
from cntnr_compose.host.namespaces.holder import HolderFailed


def test_root_s_holder_has_mounts_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = Path("/run/ready")
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert rootlesskit_start.rootlesskit_argv(ready, ready)[0] == "rootlesskit"
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert rootlesskit_start.rootlesskit_argv(ready, ready)[:5] == [
        *("unshare", "--mount", "--propagation", "slave"),
        "rootlesskit",
    ]


@pytest.mark.usefixtures("record_holder")
def test_a_rootlesskit_without_a_record_is_killed_before_its_files_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    killed: list[int] = []
    lines = {
        17: [b"rootlesskit", b"--state-dir", f"{paths.holder_state()}/cntnr-state-ab12".encode()],
        18: [b"another", b"program"],
    }
    monkeypatch.setattr(proc, "command_line", lines.get)
    monkeypatch.setattr(proc, "start_time", lambda pid: 0 if pid in killed else 5)
    monkeypatch.setattr(os, "kill", lambda pid, _number: killed.append(pid))
    for pid in lines:
        paths.holder().mkdir(exist_ok=True)
        (paths.holder() / "pid").write_text(f"{pid}\n")
        assert rootlesskit.stop_if_unused()
        assert not paths.holder().exists()
    assert killed == [17]


class Killed:
    """A program that runs as far as is known."""

    pid = 10

    def poll(self) -> None:
        """Return that it runs."""


@pytest.mark.usefixtures("record_holder")
def test_a_holder_that_is_killed_while_it_starts_is_never_recorded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    paths.holder().mkdir()
    (paths.holder() / "payload").write_text("3\n")
    (tmp_path / "api.sock").touch()
    (tmp_path / "child_pid").write_text("11\n")
    for born in ({10: 0, 11: 0}, {10: 70, 11: 0}, {10: 0, 11: 71}):
        monkeypatch.setattr(proc, "start_time", born.get)
        with pytest.raises(HolderFailed, match="ended from outside"):
            rootlesskit_start.wait_until_ready(Killed(), tmp_path)  # type: ignore[arg-type]


@pytest.mark.usefixtures("record_holder")
def test_a_holder_that_takes_too_long_is_not_said_to_have_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(rootlesskit_start, "START_TIMEOUT", 0)
    with pytest.raises(HolderFailed, match="rootlesskit is not ready after 60 s"):
        rootlesskit_start.wait_until_ready(Killed(), tmp_path)  # type: ignore[arg-type]


@pytest.mark.usefixtures("record_holder")
def test_an_old_rootlesskit_is_started_without_the_option_that_it_does_not_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[tuple[str, ...]] = []

    def start(further: tuple[str, ...], _meanwhile: object) -> None:
        tried.append(further)
        paths.holder().mkdir(exist_ok=True)
        (paths.holder() / "log").write_text(
            "Incorrect Usage: flag provided but not defined: -subid-source\n"
        )
        if further:
            raise HolderFailed("")

    monkeypatch.setattr(subids, "explain_one_id", lambda: "")
    monkeypatch.setattr(rootlesskit_start, "_start_with", start)
    rootlesskit_start.start_holder(lambda: None)
    assert tried == [(rootlesskit_start.SUBIDS_FROM_FILES,), ()]


def test_without_a_range_our_programs_answer_rootlesskit(monkeypatch: pytest.MonkeyPatch) -> None:
    for reason, is_first in (("ann has no range", True), ("", False)):
        monkeypatch.setattr(subids, "explain_one_id", lambda reason=reason: reason)
        path = subids.mapper_environment()["PATH"]
        assert path.startswith(f"{subids.ONE_ID_PROGRAMS}:") is is_first
    for name in ("getsubids", "newuidmap", "newgidmap"):
        assert os.access(subids.ONE_ID_PROGRAMS / name, os.X_OK)
