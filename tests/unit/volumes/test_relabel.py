"""Labels of SELinux for bind mounts, on a machine that only seems to have it."""

import errno
import os
from pathlib import Path

import pytest

from cntnr_compose.volumes import relabel

OLD = b"unconfined_u:object_r:user_home_t:s0\0"


@pytest.fixture
def labels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """Make a folder to mount; return the labels that files get, by their place in it."""
    written: dict[str, str] = {}

    def write(path: str, name: str, value: bytes, *, follow_symlinks: bool) -> None:
        assert name == "security.selinux"
        assert not follow_symlinks
        folder = os.path.realpath(os.path.dirname(path))
        written[os.path.relpath(f"{folder}/{os.path.basename(path)}", tmp_path)] = value.decode()

    monkeypatch.setattr(os, "getxattr", lambda *_, **__: OLD)
    monkeypatch.setattr(os, "setxattr", write)
    (tmp_path / "data/sub").mkdir(parents=True)
    (tmp_path / "data/sub/file").touch()
    (tmp_path / "data/out").symlink_to("/etc/passwd")
    return written


def test_all_that_is_in_a_folder_gets_type_and_level_and_no_link_is_followed(
    labels: dict[str, str], tmp_path: Path
) -> None:
    assert relabel.relabel(str(tmp_path / "data"), "z", "c1") == ""
    assert set(labels) == {"data", "data/sub", "data/sub/file", "data/out"}
    assert set(labels.values()) == {"unconfined_u:object_r:container_file_t:s0"}


def test_a_private_label_is_that_of_one_container(labels: dict[str, str], tmp_path: Path) -> None:
    levels = []
    for container in ("c1", "c1", "c2"):
        assert relabel.relabel(str(tmp_path / "data"), "Z", container) == ""
        levels.append(labels["data"].partition("container_file_t:")[2])
    assert levels[0] == levels[1] != levels[2]
    low, high = (int(word[1:]) for word in levels[0].partition(":")[2].split(","))
    assert 0 <= low < high < relabel.CATEGORIES


def test_what_has_the_label_is_left_alone(
    labels: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "getxattr", lambda *_, **__: b"u:object_r:container_file_t:s0")
    assert relabel.relabel(str(tmp_path / "data"), "z", "c1") == ""
    assert labels == {}


def test_parts_of_the_machine_and_refusals_are_told(
    labels: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for folder in ("/", "/usr/", "/etc/../var", str(Path.home())):
        assert "labels of its own" in relabel.relabel(folder, "z", "c1")
    assert labels == {}

    def refuse(*_: object, **__: object) -> bytes:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "setxattr", refuse)
    assert relabel.relabel(str(tmp_path / "data"), "z", "c1") == "Permission denied"
