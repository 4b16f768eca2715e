"""A folder to a layer blob."""

import hashlib
import io
import os
import stat
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from cntnr_compose.builder.worker.image import pack_layer
from cntnr_compose.core import paths
from cntnr_compose.images.layers.pack import pack_folder
from cntnr_compose.images.store import ImageStore


@pytest.fixture
def fs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    folder = paths.layers() / "s-1/fs"
    folder.mkdir(parents=True)
    return folder


def packed() -> tuple[bytes, dict[str, tarfile.TarInfo]]:
    store = ImageStore()
    layer = pack_layer("s-1", store)
    content = store.blob_path(layer.digest).read_bytes()
    assert layer.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert layer.size == len(content)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return content, {one.name: one for one in archive}


def test_files_folders_links_and_pipes_are_in_it_in_order(fs: Path) -> None:
    (fs / "b/c").mkdir(parents=True)
    (fs / "b/f").write_bytes(b"x" * 1000)
    (fs / "b/f").chmod(0o4755)
    os.utime(fs / "b/f", (1234.75, 1234.75))
    (fs / "a").symlink_to("b/f")
    os.mkfifo(fs / "p")
    content, entries = packed()
    assert list(entries) == ["a", "b", "b/c", "b/f", "p"]
    assert entries["a"].linkname == "b/f"
    assert entries["b"].isdir()
    assert entries["p"].isfifo()
    entry = entries["b/f"]
    assert (entry.mode, entry.uid, entry.gid, entry.size, entry.mtime) == (
        0o4755, os.getuid(), os.getgid(), 1000, 1234,
    )  # fmt: skip
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        reader = archive.extractfile("b/f")
        assert reader is not None
        assert reader.read() == b"x" * 1000


def test_hard_links_are_kept(fs: Path) -> None:
    (fs / "a").write_text("x")
    (fs / "b").hardlink_to(fs / "a")
    entries = packed()[1]
    assert (entries["b"].islnk(), entries["b"].linkname, entries["a"].size) == (True, "a", 1)


def test_overlay_s_marks_become_whiteouts(fs: Path) -> None:
    (fs / "d").mkdir()
    os.mknod(fs / "d/gone", stat.S_IFCHR | 0o600, 0)  # anybody may make this one device
    os.setxattr(fs / "d", "user.overlay.opaque", b"y")
    os.setxattr(fs / "d", "user.mine", b"1")
    entries = packed()[1]
    assert list(entries) == ["d", "d/.wh..wh..opq", "d/.wh.gone"]
    assert entries["d/.wh.gone"].isreg()
    assert entries["d"].pax_headers == {"SCHILY.xattr.user.mine": "1"}


def test_attributes_keep_every_byte(fs: Path) -> None:
    (fs / "f").write_text("")
    os.setxattr(fs / "f", "user.raw", b"\x00\xff\x01=")
    value = packed()[1]["f"].pax_headers["SCHILY.xattr.user.raw"]
    assert value.encode("utf-8", "surrogateescape") == b"\x00\xff\x01="


def test_long_and_foreign_names_come_through(fs: Path) -> None:
    names = ["x" * 200, "é", os.fsdecode(b"\xff\xfe")]
    for name in names:
        (fs / name).write_text(name[:1] if name.isascii() else "")
    (fs / "l").symlink_to("y" * 150)
    store = ImageStore()
    blob = store.blob_path(pack_layer("s-1", store).digest)
    with tarfile.open(blob, errors="surrogateescape") as archive:
        entries = {one.name: one for one in archive}
    assert set(entries) == {*names, "l"}
    assert entries["l"].linkname == "y" * 150


def test_a_layer_is_made_once_and_again_when_it_is_gone(fs: Path) -> None:
    (fs / "a").write_text("x")
    store = ImageStore()
    layer = pack_layer("s-1", store)
    (fs / "a").write_text("not looked at")
    assert pack_layer("s-1", store) == layer
    store.blob_path(layer.digest).unlink()
    assert pack_layer("s-1", store) != layer


def test_entries_may_be_left_out(fs: Path) -> None:
    for name in ("a", "b"):
        (fs / name).write_text("")
    store = ImageStore()
    layer = pack_folder(fs, store, skip=lambda path, _status: path == "a")
    with tarfile.open(store.blob_path(layer.digest)) as archive:
        assert archive.getnames() == ["b"]


def test_a_link_that_takes_the_place_of_a_folder_or_file_is_not_followed(
    fs: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/key").write_text("secret")
    (fs / "a").mkdir()
    (fs / "a/key").write_text("")
    (fs / "b").write_text("x")

    def swap(path: str, _status: os.stat_result) -> bool:
        if path == "a":
            (fs / "a/key").unlink()
            (fs / "a").rmdir()
            (fs / "a").symlink_to(tmp_path / "mine")
        if path == "b":
            (fs / "b").unlink()
            (fs / "b").symlink_to(tmp_path / "mine/key")
        return False

    store = ImageStore()
    with pytest.raises(OSError, match="symbolic links"):
        pack_folder(fs, store, skip=swap)
    (fs / "b").unlink()
    layer = pack_folder(fs, store)
    assert b"secret" not in store.blob_path(layer.digest).read_bytes()


def test_a_file_with_holes_larger_than_the_disk_is_refused(
    fs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (fs / "big").open("wb") as file:
        file.truncate(1 << 30)
    room = SimpleNamespace(free=1 << 29)
    monkeypatch.setattr("cntnr_compose.images.layers.pack.shutil.disk_usage", lambda _path: room)
    with pytest.raises(OSError, match="No space left"):
        pack_folder(fs, ImageStore())


def test_packing_ends_where_the_command_does(fs: Path) -> None:
    (fs / "a").write_text("x")

    def check() -> None:
        raise KeyboardInterrupt

    store = ImageStore()
    with pytest.raises(KeyboardInterrupt):
        pack_folder(fs, store, check=check)
    assert not list(store.root.glob(".draft-*"))
