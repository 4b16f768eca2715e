"""A tree is copied as it is, and never to where a link leads that somebody has put in its way."""

import os
from pathlib import Path

import pytest

from cntnr_compose.volumes import copy_tree


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("from/folder/below", "to", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "from/folder/file").write_text("text")
    (tmp_path / "from/folder/file").chmod(0o4751)
    (tmp_path / "from/folder/below").chmod(0o1770)
    (tmp_path / "from/link").symlink_to("/nowhere")
    os.mkfifo(tmp_path / "from/pipe", 0o640)
    os.utime(tmp_path / "from/folder", (5, 5))
    return tmp_path


def copy(tree: Path) -> None:
    descriptors = [os.open(tree / name, copy_tree.FOLDER_FLAGS) for name in ("from", "to")]
    try:
        copy_tree.copy_tree(*descriptors)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def test_everything_is_as_it_was(tree: Path) -> None:
    copy(tree)
    for name in ("folder", "folder/file", "folder/below", "link", "pipe"):
        original, copied = (tree / top / name for top in ("from", "to"))
        assert original.lstat().st_mode == copied.lstat().st_mode, name
    assert (tree / "to/folder/file").read_text() == "text"
    assert (tree / "to/link").readlink() == Path("/nowhere")
    assert (tree / "to/folder").stat().st_mtime == 5


def test_a_link_in_the_place_of_a_new_folder_is_not_followed(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mkdir(name: str, _mode: int, *, dir_fd: int) -> None:
        os.symlink(tree / "elsewhere", name, dir_fd=dir_fd)

    monkeypatch.setattr(copy_tree.os, "mkdir", mkdir)
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        copy(tree)
    assert list((tree / "elsewhere").iterdir()) == []


def test_a_file_that_somebody_has_put_there_stays(tree: Path) -> None:
    (tree / "to/folder").mkdir()
    with pytest.raises(FileExistsError):
        copy(tree)
    assert list((tree / "to/folder").iterdir()) == []


def test_a_tree_without_end_is_refused(tree: Path) -> None:
    folder = tree / "from"
    for _ in range(copy_tree.MAX_DEPTH + 1):
        folder = folder / "d"
        folder.mkdir()
    with pytest.raises(OSError, match="more than 200 deep"):
        copy(tree)
