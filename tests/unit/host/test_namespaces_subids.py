"""Ranges of subordinate ids, read from files of the test."""

from pathlib import Path

import pytest

from cntnr_compose.core.errors import ProgramMissing
from cntnr_compose.host import process
from cntnr_compose.host.namespaces import subids


@pytest.fixture
def etc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Put /etc/subuid and /etc/subgid into a folder of the test."""
    real = Path

    def redirect(name: str) -> Path:
        return tmp_path / real(name).name if name.startswith("/etc/sub") else real(name)

    monkeypatch.setattr(subids, "Path", redirect)
    return tmp_path


def test_the_first_range_of_a_bare_machine_is_the_usual_one(etc: Path) -> None:
    assert subids.free_subordinate_range() == "100000-165535"


def test_a_free_range_lies_behind_all_others(etc: Path) -> None:
    (etc / "subuid").write_text("ann:100000:65536\nbob:165536:65536\n")
    (etc / "subgid").write_text("ann:300000:65536\nhalf a line\n")
    assert subids.free_subordinate_range() == "365536-431071"


def test_ids_of_the_users_name_and_number_count(etc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subids, "user_name", lambda: "ann")
    monkeypatch.setattr("os.getuid", lambda: 1000)
    (etc / "subuid").write_text("ann:100000:65536\nbob:165536:65536\n1000:300000:10\nann:x:y\n")
    assert subids.count_subordinate_ids("uid") == 65546
    assert subids.count_subordinate_ids("gid") == 0


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("passwd: files sss\n", True),
        ("subid:  files\n", True),
        ("subid: sss\n", False),
        ("", True),
    ],
)
def test_a_directory_of_the_network_may_have_the_subordinate_ids(
    monkeypatch: pytest.MonkeyPatch, text: str, answer: bool
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda _: text)
    assert subids.come_from_files() is answer


def test_the_reason_for_one_id_alone_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("os.getuid", lambda: 1000)
    monkeypatch.setattr(subids, "user_name", lambda: "ann")
    monkeypatch.setattr(subids, "come_from_files", lambda: True)
    monkeypatch.setattr(subids, "has_no_new_privileges", lambda: False)
    monkeypatch.setattr(subids, "count_subordinate_ids", {"uid": 9, "gid": 0}.get)
    assert subids.explain_one_id() == "ann has no range in /etc/subuid and /etc/subgid"

    monkeypatch.setattr(subids, "count_subordinate_ids", lambda _: 65536)
    mapper = tmp_path / "newuidmap"
    mapper.touch(mode=0o755)
    monkeypatch.setattr(process, "find_program", lambda _: str(mapper))
    assert subids.explain_one_id() == f"{mapper} is not setuid root"
    mapper.chmod(0o4755)
    assert subids.explain_one_id() == ""
    monkeypatch.setattr(subids, "has_no_new_privileges", lambda: True)
    assert "no_new_privs" in subids.explain_one_id()

    def miss(program: str) -> str:
        raise ProgramMissing(program)

    monkeypatch.setattr(process, "find_program", miss)
    assert subids.explain_one_id() == "newuidmap is not installed"
