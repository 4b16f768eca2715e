"""Files of a stage go into a folder, and never out of it."""

import os
import stat
from pathlib import Path

import pytest

from cntnr_compose.builder.worker.export import export_folder
from cntnr_compose.host.openat2 import Root


def export(source: Path, target: Path, mtime: int | None = None) -> list[str]:
    target.mkdir(exist_ok=True)
    with Root(source) as root, Root(target, follow_links=False) as into:
        return export_folder(root, into, mtime=mtime)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "d/sub").mkdir(parents=True)
    (root / "d/f").write_text("text")
    (root / "d/f").chmod(0o4751)
    os.link(root / "d/f", root / "hard")
    (root / "link").symlink_to("/etc/passwd")
    os.mkfifo(root / "pipe")
    (root / "d/sub").chmod(0o555)
    os.utime(root / "d/f", ns=(10**18, 10**18))
    os.utime(root / "d/sub", ns=(5 * 10**17, 5 * 10**17))
    return root


def test_modes_times_and_links_are_kept_but_not_setuid(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert export(tree, out) == []
    status = (out / "d/f").stat()
    assert (out / "d/f").read_text() == "text"
    assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns) == (0o751, 10**18)
    assert status.st_ino == (out / "hard").stat().st_ino
    assert str((out / "link").readlink()) == "/etc/passwd"
    assert stat.S_ISFIFO((out / "pipe").stat().st_mode)
    folder = (out / "d/sub").stat()
    assert (stat.S_IMODE(folder.st_mode), folder.st_mtime_ns) == (0o555, 5 * 10**17)


def test_again_over_itself_and_with_one_time_for_all(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(tree, out)
    export(tree, out, mtime=7)
    assert {path.lstat().st_mtime for path in out.rglob("*")} == {7.0}


def test_what_is_in_the_way_is_replaced_and_never_followed(tree: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    (precious / "sub").mkdir(parents=True)
    (precious / "f").write_text("untouched")
    out = tmp_path / "out"
    out.mkdir()
    (out / "d").symlink_to(precious)  # a folder of the tree
    (out / "hard").symlink_to(precious / "f")
    (out / "link").mkdir()
    export(tree, out)
    assert (out / "d").is_dir()
    assert not (out / "d").is_symlink()
    assert not (out / "hard").is_symlink()
    assert (out / "link").is_symlink()
    assert (precious / "f").read_text() == "untouched"
    assert list((precious / "sub").iterdir()) == []


def test_what_was_there_beside_it_stays(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "d").mkdir(parents=True)
    (out / "d/mine").write_text("mine")
    export(tree, out)
    assert (out / "d/mine").read_text() == "mine"


def test_folders_may_be_nested_deeply(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    before = os.open(root, os.O_RDONLY)
    for _ in range(400):
        os.mkdir("d", dir_fd=before)
        inner = os.open("d", os.O_RDONLY, dir_fd=before)
        os.close(before)
        before = inner
    os.close(before)
    export(root, tmp_path / "out")
    depth, folder = 0, os.open(tmp_path / "out", os.O_RDONLY)
    while True:
        try:
            inner = os.open("d", os.O_RDONLY, dir_fd=folder)
        except FileNotFoundError:
            break
        os.close(folder)
        folder, depth = inner, depth + 1
    os.close(folder)
    assert depth == 400
    from cntnr_compose.host import files

    files.remove_tree(root)
    files.remove_tree(tmp_path / "out")
