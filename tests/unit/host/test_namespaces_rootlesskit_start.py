"""rootlesskit's command line, and what is left of a start that was interrupted."""

import os
from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.host import proc
from cntnr_compose.host.namespaces import rootlesskit, rootlesskit_start


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
