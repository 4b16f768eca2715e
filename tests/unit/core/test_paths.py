"""Folders of data and runtime files, and who may enter them."""

import os
from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.core.files import folders


def test_data_folder_is_closed_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert paths.secure_data() == tmp_path / "cntnr"
    assert (tmp_path / "cntnr").stat().st_mode & 0o777 == 0o700
    (tmp_path / "cntnr").chmod(0o755)  # as it was made by `pull`, or by an earlier version
    paths.secure_data()
    assert (tmp_path / "cntnr").stat().st_mode & 0o777 == 0o700


def test_data_folder_that_cannot_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with pytest.raises(paths.HomeNotWritable, match=f"cannot write to {tmp_path}/file/cntnr: "):
        paths.secure_data()


@pytest.fixture
def uid(monkeypatch: pytest.MonkeyPatch) -> int:
    """Clear the variables that choose a runtime folder, and return the user id."""
    for name in ("CNTNR_RUNTIME_DIR", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, "")  # so that it is put back afterwards
    return os.getuid()


def test_runtime_folder_is_the_same_for_those_who_go_on_under_another_uid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uid: int
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = paths.secure_runtime()
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert paths.runtime() == folder
    assert folder == tmp_path / "cntnr"


def _known_folders(monkeypatch: pytest.MonkeyPatch, owners: dict[str, int]) -> None:
    """Pretend that only these folders exist, with these owners."""

    def stat(path: str) -> os.stat_result:
        if path not in owners:
            raise FileNotFoundError(path)
        return os.stat_result((0o040700, 0, 0, 1, owners[path], 0, 0, 0, 0, 0))

    monkeypatch.setattr(os, "stat", stat)
    monkeypatch.setattr(os, "lstat", stat)
    monkeypatch.setattr(os, "access", lambda path, _mode: path in owners)


def test_a_login_s_folder_is_used_with_and_without_its_variable(
    monkeypatch: pytest.MonkeyPatch, uid: int
) -> None:
    login_folder = f"/run/user/{uid}"
    _known_folders(monkeypatch, {login_folder: uid})
    assert paths.runtime() == Path(login_folder, "cntnr")
    monkeypatch.setenv("XDG_RUNTIME_DIR", login_folder)
    assert paths.runtime() == Path(login_folder, "cntnr")
    _known_folders(monkeypatch, {})
    assert paths.runtime() == Path(f"/tmp/cntnr-{uid}")


def test_another_user_s_variable_counts_for_nothing(
    monkeypatch: pytest.MonkeyPatch, uid: int
) -> None:
    """As `sudo -E` and `su` leave it: root could write there, and the other one remove it."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/4711")
    _known_folders(monkeypatch, {"/run/user/4711": 4711})
    assert paths.runtime() == Path(f"/tmp/cntnr-{uid}")
    _known_folders(monkeypatch, {"/run/user/4711": 4711, f"/run/user/{uid}": uid})
    assert paths.runtime() == Path(f"/run/user/{uid}/cntnr")


@pytest.mark.parametrize("kind", ["stranger", "open", "link", "file"])
def test_a_runtime_folder_that_is_not_ours_alone_is_not_even_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uid: int, kind: str
) -> None:
    place = tmp_path / "cntnr"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    if kind == "stranger":
        _known_folders(monkeypatch, {str(tmp_path): uid, str(place): uid + 1})
    elif kind == "open":
        place.mkdir()
        place.chmod(0o770)
    elif kind == "link":
        place.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
        (tmp_path / "elsewhere").mkdir(mode=0o700)
    else:
        place.touch(mode=0o600)
    for ask in (paths.runtime, paths.secure_runtime, paths.holder, paths.supervisor_logs):
        with pytest.raises(folders.UnsafeRuntimeDirectory, match=f"runtime directory {place}"):
            ask()
