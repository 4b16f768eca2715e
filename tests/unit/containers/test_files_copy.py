"""Paths of the host, as `cp` reads them."""

from pathlib import Path

import pytest

from cntnr_compose.containers.files.copy import _check_output, _find_source
from cntnr_compose.containers.files.errors import CannotCopy
from cntnr_compose.containers.files.rules import Source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "d").mkdir()
    (tmp_path / "f").touch()
    (tmp_path / "to-d").symlink_to("d")
    (tmp_path / "to-f").symlink_to("f")
    return tmp_path


def find(folder: Path, name: str, *, follow_link: bool = False) -> Source:
    return _find_source(f"{folder}/{name}", follow_link=follow_link)


def test_a_link_is_followed_only_where_that_is_meant(folder: Path) -> None:
    assert find(folder, "to-f") == Source(path=f"{folder}/to-f", is_folder=False)
    assert find(folder, "to-f", follow_link=True) == Source(
        path=f"{folder}/f", is_folder=False, name="to-f"
    )
    assert find(folder, "to-d") == Source(path=f"{folder}/to-d", is_folder=False)
    assert find(folder, "to-d/").is_folder
    assert find(folder, "to-d/").name == "to-d" or find(folder, "to-d/").path.endswith("/d/")
    assert find(folder, "to-d/.").path == f"{folder}/d/."


def test_sources_that_are_not_there(folder: Path) -> None:
    with pytest.raises(CannotCopy, match=f"lstat {folder}/none: no such file or directory"):
        find(folder, "none")
    with pytest.raises(CannotCopy, match="lstat"):
        find(folder, "none", follow_link=True)
    with pytest.raises(CannotCopy, match="not a directory"):
        find(folder, "f/")


def test_places_on_the_host(folder: Path) -> None:
    _check_output(f"{folder}/new", "new")
    _check_output(f"{folder}/d/", "d/")
    for name in ("f/x", "f/", "to-f/"):
        with pytest.raises(CannotCopy, match=f"stat {folder}/{name}: not a directory"):
            _check_output(f"{folder}/{name}", name)
    with pytest.raises(CannotCopy, match='invalid output path: directory "/no/such" does not'):
        _check_output("/no/such/x", "x")
    with pytest.raises(CannotCopy, match=r'invalid output path: "/dev/null" must be.*got a device'):
        _check_output("/dev/null", "/dev/null")
