"""What is read of the machine, from files of the test's own."""

from pathlib import Path

import pytest

from cntnr_compose.host import kernel


@pytest.fixture
def subids(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let /etc/subuid and /etc/subgid lie in a folder of the test's."""
    real = Path

    def place(name: str) -> Path:
        return tmp_path / real(name).name if name.startswith("/etc/sub") else real(name)

    monkeypatch.setattr(kernel, "Path", place)
    return tmp_path


def test_the_first_range_of_a_bare_machine_is_the_usual_one(subids: Path) -> None:
    assert kernel.free_subordinate_range() == "100000-165535"


def test_a_free_range_lies_behind_all_others(subids: Path) -> None:
    (subids / "subuid").write_text("ann:100000:65536\nbob:165536:65536\n")
    (subids / "subgid").write_text("ann:300000:65536\nhalf a line\n")
    assert kernel.free_subordinate_range() == "365536-431071"


def test_a_process_that_is_gone_was_never_born() -> None:
    import os

    assert kernel.start_time(os.getpid()) > 0
    assert kernel.start_time(2**22 + 1) == 0


def test_the_hosts_resolver_is_read_through_links_from_where_they_lay(tmp_path: Path) -> None:
    etc, run = tmp_path / "etc", tmp_path / "run"
    (etc / ".ro12").mkdir(parents=True)
    run.mkdir()
    (run / "stub").write_text("nameserver 127.0.0.53\n")
    (etc / "resolv.conf").write_text("nameserver 10.0.2.3\n")
    (etc / ".ro12/resolv.conf").symlink_to("../run/stub")
    assert kernel.host_resolv_conf(etc) == "nameserver 127.0.0.53\n"
    (etc / ".ro12/resolv.conf").unlink()
    assert kernel.host_resolv_conf(etc) == "nameserver 10.0.2.3\n"
