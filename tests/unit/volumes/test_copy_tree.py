"""A tree is copied as it is, and never to where a link leads that somebody has put in its way."""

import os
from pathlib import Path

import pytest

from cntnr_compose.volumes import copy_tree


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("from/folder/below", "to", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "from/folder/file").write_text("text")
    (tmp_path / "from/folder/file").chmod(0o4751)
    (tmp_path / "from/folder/below").chmod(0o1770)
    (tmp_path / "from/link").symlink_to("/nowhere")
    os.mkfifo(tmp_path / "from/pipe", 0o640)
    os.utime(tmp_path / "from/folder", (5, 5))
    return tmp_path


def copy(place: Path) -> None:
    both = [os.open(place / name, copy_tree.FOLDER_FLAGS) for name in ("from", "to")]
    try:
        copy_tree.copy_tree(*both)
    finally:
        for descriptor in both:
            os.close(descriptor)


def test_everything_is_as_it_was(place: Path) -> None:
    copy(place)
    for name in ("folder", "folder/file", "folder/below", "link", "pipe"):
        one, other = (place / top / name for top in ("from", "to"))
        assert one.lstat().st_mode == other.lstat().st_mode, name
    assert (place / "to/folder/file").read_text() == "text"
    assert (place / "to/link").readlink() == Path("/nowhere")
    assert (place / "to/folder").stat().st_mtime == 5


def test_a_link_in_the_place_of_a_new_folder_is_not_followed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mkdir(name: str, _mode: int, *, dir_fd: int) -> None:
        os.symlink(place / "elsewhere", name, dir_fd=dir_fd)

    monkeypatch.setattr(copy_tree.os, "mkdir", mkdir)
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        copy(place)
    assert list((place / "elsewhere").iterdir()) == []


def test_a_file_that_somebody_has_put_there_stays(place: Path) -> None:
    (place / "to/folder").mkdir()
    with pytest.raises(FileExistsError):
        copy(place)
    assert list((place / "to/folder").iterdir()) == []


def test_a_tree_without_end_is_refused(place: Path) -> None:
    folder = place / "from"
    for _ in range(copy_tree.MAX_DEPTH + 1):
        folder = folder / "d"
        folder.mkdir()
    with pytest.raises(OSError, match="more than 200 deep"):
        copy(place)
