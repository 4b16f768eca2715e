"""Users and groups are looked up in the image's files, which may be anything."""

import os
from pathlib import Path

import pytest

from cntnr_compose.containers.bundle import accounts
from cntnr_compose.containers.spec.users import ProcessUser, UserUnknown, resolve_user
from cntnr_compose.host.openat2 import Root

IDS = 65537


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("ann:x:5:6::/:/bin/sh\n")
    (tmp_path / "etc/group").write_text("staff:x:7:ann\n")
    return tmp_path / "etc"


def resolve(etc: Path, user: str, *, runs: bool = False) -> ProcessUser:
    with Root(etc.parent) as root, accounts.read_accounts(root, runs=runs) as (passwd, group):
        return resolve_user(user, passwd=passwd, group=group, id_count=IDS)


def test_names_are_looked_up(etc: Path) -> None:
    assert resolve(etc, "ann") == ProcessUser(uid=5, gid=6, groups=(6, 7))
    (etc / "passwd").unlink()
    with pytest.raises(UserUnknown, match="no matching entries in passwd file"):
        resolve(etc, "ann")


@pytest.mark.parametrize("kind", ["pipe", "huge", "folder", "loop"])
def test_a_file_that_is_none_is_told_where_it_is_needed(etc: Path, kind: str) -> None:
    (etc / "passwd").unlink()
    match kind:
        case "pipe":
            os.mkfifo(etc / "passwd")
        case "huge":
            with (etc / "passwd").open("wb") as file:
                file.truncate(1 << 40)
        case "folder":
            (etc / "passwd").mkdir()
        case "loop":
            (etc / "passwd").symlink_to("passwd")
    assert resolve(etc, "3:staff").uid == 3
    with pytest.raises(accounts.AccountsUnreadable, match="user ann: /etc/passwd in the container"):
        resolve(etc, "ann")
    with pytest.raises(UserUnknown, match="group none: no matching entries in group file"):
        resolve(etc, "3:none")


def test_what_runc_would_wait_for_is_refused_where_a_program_is_run(etc: Path) -> None:
    assert resolve(etc, "3", runs=True).uid == 3
    (etc / "group").unlink()
    (etc / "group").symlink_to("loop")
    (etc / "loop").symlink_to("group")
    assert resolve(etc, "3", runs=True).uid == 3
    (etc / "loop").unlink()
    os.mkfifo(etc / "loop")
    with pytest.raises(accounts.AccountsUnfit, match="/etc/group in the container is no regular"):
        resolve(etc, "3", runs=True)
