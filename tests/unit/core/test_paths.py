"""Where things lie, and who may enter there."""

from pathlib import Path

import pytest

from cntnr_compose.core import paths


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


def test_runtime_folder_is_the_same_for_those_who_go_on_under_another_uid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNTNR_RUNTIME_DIR", "")  # so that it is put back afterwards
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    made = paths.secure_runtime()
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("os.getuid", lambda: 0)
    assert paths.runtime() == made
