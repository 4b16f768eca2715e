"""Reader and writer together: a tree is copied as it is, and nothing leads out of it."""

import errno
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cntnr_compose.containers.files.entry import TreeEntry
from cntnr_compose.containers.files.errors import CannotCopy
from cntnr_compose.containers.files.reader import TreeReader
from cntnr_compose.containers.files.writer import TreeWriter
from cntnr_compose.host.openat2 import Root


def read(
    folder: Path, name: str, top: str = "", reader: TreeReader | None = None
) -> Iterator[tuple[TreeEntry, int | None]]:
    descriptor = os.open(folder, os.O_PATH)
    try:
        yield from (reader or TreeReader()).read(descriptor, name.encode(), top.encode())
    finally:
        os.close(descriptor)


def copy(folder: Path, name: str, target: Path, top: str) -> None:
    with Root(target, follow_links=False) as root:
        writer = TreeWriter(root, sets_owner=False)
        for entry, content in read(folder, name, top):
            writer.write(entry, content)
            if content is not None:
                os.close(content)
        writer.finish()
        writer.close()


def write(target: Path, *entries: TreeEntry, follow_links: bool = False, folder: str = "") -> None:
    with Root(target, follow_links=follow_links) as root:
        writer = TreeWriter(root, folder.encode(), sets_owner=False)
        try:
            for entry in entries:
                content = os.memfd_create("x") if entry.has_content else None
                writer.write(entry, content)
        finally:
            writer.close()


def names(folder: Path, name: str) -> list[str]:
    paths = []
    for entry, content in read(folder, name):
        paths.append(os.fsdecode(entry.path))
        if content is not None:
            os.close(content)
    return paths


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def file_entry(path: str, mode: int = 0o644) -> TreeEntry:
    return TreeEntry(path=path.encode(), mode=stat.S_IFREG | mode)


def folder_entry(path: str, mode: int = 0o755) -> TreeEntry:
    return TreeEntry(path=path.encode(), mode=stat.S_IFDIR | mode)


def link_entry(path: str, to: str) -> TreeEntry:
    return TreeEntry(path=path.encode(), mode=stat.S_IFLNK | 0o777, target=to.encode())


def test_a_tree_is_copied_as_it_is(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "source"
    (source / "sub/empty").mkdir(parents=True)
    (source / "sub/file").write_text("text")
    (source / "sub/file").chmod(0o640)
    (source / "link").symlink_to("nowhere/at all")
    os.mkfifo(source / "pipe")
    os.link(source / "sub/file", source / "sub/twin")
    os.utime(source / "sub/file", (1, 2))
    os.utime(source / "sub", (3, 4))
    (source / "sub").chmod(0o700)
    copy(tmp_path, "source", target, "copy")
    made = target / "copy"
    assert (made / "sub/file").read_text() == "text"
    assert stat.S_IMODE((made / "sub/file").stat().st_mode) == 0o640
    assert (made / "sub/file").stat().st_mtime == 2
    assert (made / "sub").stat().st_mtime == 4
    assert stat.S_IMODE((made / "sub").stat().st_mode) == 0o700
    assert (made / "sub/twin").samefile(made / "sub/file")
    assert os.readlink(made / "link") == "nowhere/at all"
    assert stat.S_ISFIFO((made / "pipe").lstat().st_mode)
    assert list((made / "sub/empty").iterdir()) == []


def test_entries_come_in_order_without_sockets(tmp_path: Path) -> None:
    source = tmp_path / "s"
    (source / "b/c").mkdir(parents=True)
    for name in ("a", "b/z", "d"):
        (source / name).touch()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(source / "socket"))
        assert names(tmp_path, "s") == ["", "a", "b", "b/c", "b/z", "d"]


def test_names_of_any_bytes(tmp_path: Path, target: Path) -> None:
    (tmp_path / "s").mkdir()
    Path(os.fsdecode(bytes(tmp_path / "s") + b"/new\nline \xff")).write_text("x")
    copy(tmp_path, "s", target, "t")
    assert os.listdir(bytes(target / "t")) == [b"new\nline \xff"]


def test_a_deep_tree_ends_with_an_error(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=descriptor)
        inner = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    with pytest.raises(OSError, match="256 deep"):
        list(read(tmp_path, "d"))


def test_other_devices_are_passed_empty(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s/file").touch()
    reader = TreeReader({tmp_path.stat().st_dev})
    assert [entry.path for entry, _ in read(tmp_path, "s", reader=reader)] == [b""]


def test_owners_are_mapped(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    reader = TreeReader(map_owner=lambda uid, gid: (uid + 7, gid + 8))
    [(entry, content)] = read(tmp_path, "file", reader=reader)
    assert content is not None
    os.close(content)
    assert (entry.uid, entry.gid) == (os.getuid() + 7, os.getgid() + 8)


def test_a_file_replaces_a_file_or_a_link_but_not_what_it_leads_to(target: Path) -> None:
    (target / "outside").write_text("kept")
    (target / "in").mkdir()
    (target / "in/link").symlink_to("../outside")
    write(target / "in", file_entry("link"))
    assert (target / "outside").read_text() == "kept"
    assert not (target / "in/link").is_symlink()


def test_a_link_in_the_tree_is_not_followed(target: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotCopy):
        write(target, link_entry("out", str(tmp_path)), file_entry("out/file"))
    assert not (tmp_path / "file").exists()


def test_a_folder_does_not_take_the_place_of_a_file(target: Path) -> None:
    (target / "x").touch()
    with pytest.raises(CannotCopy, match=f'non-directory "{target}/x" with directory "{target}"'):
        write(target, folder_entry("x"))
    (target / "link").symlink_to("/")
    with pytest.raises(CannotCopy, match="cannot overwrite non-directory"):
        write(target, folder_entry("link"))


def test_a_file_does_not_take_the_place_of_a_folder(target: Path) -> None:
    (target / "x").mkdir()
    with pytest.raises(CannotCopy, match=f' directory "{target}/x" with non-directory "{target}"'):
        write(target, file_entry("x"))
    with pytest.raises(CannotCopy, match="cannot overwrite directory"):
        write(target, link_entry("x", "y"))


@pytest.mark.parametrize("path", ["..", "a/..", "."])
def test_names_that_are_none_are_refused(target: Path, path: str) -> None:
    with pytest.raises(CannotCopy):
        write(target, file_entry(path))


def test_missing_folders_are_made_inside_the_root(target: Path) -> None:
    (target / "real").mkdir()
    (target / "to").symlink_to("/real")
    write(target, file_entry("deep/er/file"), follow_links=True, folder="to")
    assert (target / "real/deep/er/file").is_file()
    assert stat.S_IMODE((target / "real/deep").stat().st_mode) == 0o755


def test_a_folder_without_write_permission_gets_its_files(tmp_path: Path, target: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s/file").touch()
    (tmp_path / "s").chmod(0o500)
    copy(tmp_path, "s", target, "t")
    assert (target / "t/file").exists()
    assert stat.S_IMODE((target / "t").stat().st_mode) == 0o500


def test_copies_on_the_host_are_not_setuid(tmp_path: Path, target: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "file").chmod(0o6755)
    copy(tmp_path, "file", target, "copy")
    assert stat.S_IMODE((target / "copy").stat().st_mode) == 0o755


def test_removal(target: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").touch()
    (target / "d/e").mkdir(parents=True)
    (target / "d/link").symlink_to(tmp_path / "kept")
    (target / "f").touch()
    write(target, *(TreeEntry(path=path) for path in (b"d", b"f", b"absent", b"absent/too")))
    assert list(target.iterdir()) == []
    assert (tmp_path / "kept/file").exists()


def test_holes_stay_holes(tmp_path: Path, target: Path) -> None:
    with open(tmp_path / "sparse", "wb") as file:
        file.seek(1 << 20)
        file.write(b"data")
        file.truncate(1 << 30)
    copy(tmp_path, "sparse", target, "sparse")
    status = (target / "sparse").stat()
    assert status.st_size == 1 << 30
    assert status.st_blocks * 512 < 1 << 20
    with open(target / "sparse", "rb") as file:
        file.seek(1 << 20)
        assert file.read(4) == b"data"


def test_a_file_that_cannot_be_written_is_not_left_in_part(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fchmod", fail)
    with pytest.raises(CannotCopy, match="no space left"):
        write(target, file_entry("file"))
    assert list(target.iterdir()) == []


def test_a_link_that_cannot_be_made_becomes_a_file(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s/a").write_text("text")
    (tmp_path / "s/a").chmod(0o640)
    os.link(tmp_path / "s/a", tmp_path / "s/b")

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", fail)
    copy(tmp_path, "s", target, "t")
    assert (target / "t/b").read_text() == "text"
    assert stat.S_IMODE((target / "t/b").stat().st_mode) == 0o640
    assert not (target / "t/b").samefile(target / "t/a")


def test_a_folder_of_another_user_stays_as_it_is(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s/file").touch()
    (target / "t").mkdir()
    change_mode = os.fchmod

    def refuse(descriptor: int, mode: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise PermissionError(errno.EPERM, "Operation not permitted")
        change_mode(descriptor, mode)

    monkeypatch.setattr(os, "fchmod", refuse)
    copy(tmp_path, "s", target, "t")
    assert (target / "t/file").exists()
