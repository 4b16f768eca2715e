"""The entries of a layer, friendly and hostile, to files as overlay has them."""

import os
import stat
import tarfile
from pathlib import Path

import pytest

from cntnr_compose.images.layers.archive.decompress import StreamDamaged
from cntnr_compose.images.layers.extract import OwnerNotMapped
from cntnr_compose.images.layers.folders import LeadsOut
from tests.unit.images.layer_archives import TIME, archive, entry, extraction, folder, unpack


def is_whiteout(path: Path) -> bool:
    status = path.lstat()
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def is_opaque(path: Path) -> bool:
    return "user.overlay.opaque" in os.listxattr(path)


@pytest.fixture
def lower(tmp_path: Path) -> Path:
    """Return a layer with some files and folders to be on top of."""
    content = archive(
        folder("a", mode=0o700),
        entry("a/x", b"1"),
        entry("a/y", b"2"),
        folder("d"),
        entry("d/z", b"3"),
    )
    return unpack(content, tmp_path / "lower")


def test_files_keep_content_mode_and_time(tmp_path: Path) -> None:
    big = os.urandom(3 << 20)
    root = unpack(
        archive(
            folder("./"), folder("./b", mode=0o1777), entry("./b/f", big), entry("b/s", b"x", mode=0o4755),
        ),
        tmp_path / "l",
    )  # fmt: skip
    assert (root / "b/f").read_bytes() == big
    assert stat.S_IMODE((root / "b/s").stat().st_mode) == 0o4755
    assert stat.S_IMODE((root / "b").stat().st_mode) == 0o1777
    assert {path.stat().st_mtime for path in (root, root / "b", root / "b/f")} == {TIME}


def test_what_there_is_is_counted(tmp_path: Path) -> None:
    with extraction(archive(entry("f", b"x"), folder("d")), tmp_path / "l") as work:
        assert (work.count, work.size) == (2, 1)


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_names_may_be_long_and_of_any_bytes(tmp_path: Path, form: int) -> None:
    names = ["l" * 200 + "/" + "m" * 200, os.fsdecode(b"caf\xe9"), "weiß"]
    root = unpack(
        archive(
            *(entry(name, b"x") for name in names), entry("s", kind="symlink", linkname="t" * 300),
            form=form,
        ),
        tmp_path / "l",
    )  # fmt: skip
    assert all((root / name).read_bytes() == b"x" for name in names)
    assert os.readlink(root / "s") == "t" * 300


def test_links_pipes_and_devices(tmp_path: Path) -> None:
    root = unpack(
        archive(
            entry("f", b"x"),
            entry("h", kind="link", linkname="./f"),
            entry("h", kind="link", linkname="h"),
            entry("dangling", kind="symlink", linkname="/nowhere"),
            entry("p", kind="pipe", mode=0o600),
            entry("null", kind="device", devmajor=1, devminor=3, mode=0o666),
            entry("whiteout", kind="device", devmajor=0, devminor=0),
        ),
        tmp_path / "l",
    )
    assert (root / "h").samefile(root / "f")
    assert os.readlink(root / "dangling") == "/nowhere"
    assert (root / "dangling").lstat().st_mtime == TIME
    assert stat.S_ISFIFO((root / "p").lstat().st_mode)
    for name in (
        "null",
        "whiteout",
    ):  # nobody may make devices here; least of all overlay's own mark
        assert (root / name).is_file()
        assert not (root / name).stat().st_size


def test_xattrs_are_kept_but_for_overlays_own(tmp_path: Path) -> None:
    records = {"SCHILY.xattr.user.a": "1", "SCHILY.xattr.user.overlay.redirect": "/etc"}
    records["SCHILY.xattr.trusted.x"] = "1"
    root = unpack(
        archive(entry("f", b"x", pax_headers=records), folder("d", pax_headers=records)),
        tmp_path / "l",
    )
    assert os.getxattr(root / "f", "user.a") == b"1"
    assert os.listxattr(root / "f") == os.listxattr(root / "d") == ["user.a"]


def test_the_last_of_several_entries_wins(tmp_path: Path) -> None:
    root = unpack(
        archive(
            entry("a", b"1"), entry("a", b"2"),
            folder("b"), entry("b/x"), entry("b", b"3"),
            entry("c", b"4"), folder("c", mode=0o700), entry("c/x", b"5"),
            entry("d", kind="symlink", linkname="/etc"), folder("d"), entry("d/x", b"6"),
            folder("e"), entry("e/x", b"7"), folder("e", mode=0o711),
        ),
        tmp_path / "l",
    )  # fmt: skip
    assert [(root / name).read_bytes() for name in ("a", "b", "c/x", "d/x", "e/x")] == [
        b"2", b"3", b"5", b"6", b"7",
    ]  # fmt: skip
    assert stat.S_IMODE((root / "e").stat().st_mode) == 0o711
    assert not (root / "d").is_symlink()


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/../x", ".."])
def test_no_name_leads_out(tmp_path: Path, name: str) -> None:
    for content in (archive(entry(name, b"x")), archive(entry("l", kind="link", linkname=name))):
        with pytest.raises(LeadsOut):
            unpack(content, tmp_path / os.urandom(4).hex())
    assert not (tmp_path / "x").exists()


def test_links_lead_to_files_of_the_layer_only(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("mine")
    root = unpack(
        archive(
            entry("abs", kind="symlink", linkname=str(tmp_path / "outside")),
            entry("abs/x", b"1"),
            entry("up", kind="symlink", linkname="../../outside"),
            entry("up/y", b"2"),
            entry("etc", kind="symlink", linkname="usr/etc"),
            entry("etc/z", b"3"),
            folder("real"),
            entry("alias", kind="symlink", linkname="real"),
            entry("alias/v", b"4"),
        ),
        tmp_path / "l",
    )
    assert os.listdir(tmp_path / "outside") == ["secret"]
    inside = root / str(tmp_path / "outside/x").lstrip("/")
    assert [inside.read_bytes(), (root / "outside/y").read_bytes()] == [b"1", b"2"]
    assert (root / "usr/etc/z").read_bytes() == b"3"
    assert (root / "real/v").read_bytes() == b"4"


def test_a_link_that_is_replaced_by_a_folder_is_not_followed_any_more(tmp_path: Path) -> None:
    root = unpack(
        archive(
            folder("a"), entry("s", kind="symlink", linkname="a"), entry("s/1", b"x"),
            folder("s"), entry("s/2", b"x"),
            entry("x", kind="symlink", linkname="."), entry("x/x", b"y"), entry("x", b"z"),
        ),
        tmp_path / "l",
    )  # fmt: skip
    assert (os.listdir(root / "a"), os.listdir(root / "s")) == (["1"], ["2"])
    assert (root / "x").read_bytes() == b"z"


def test_links_in_a_circle_are_an_error(tmp_path: Path) -> None:
    circle = [entry("a", kind="symlink", linkname="b"), entry("b", kind="symlink", linkname="a")]
    with pytest.raises(OSError, match="symbolic links"):
        unpack(archive(*circle, entry("a/x")), tmp_path / "l")


def test_a_hard_link_to_a_link_does_not_follow_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    root = unpack(
        archive(
            entry("s", kind="symlink", linkname=str(tmp_path / "secret")),
            entry("h", kind="link", linkname="s"),
        ),
        tmp_path / "l",
    )  # fmt: skip
    assert (root / "h").is_symlink()


def test_whiteouts_become_overlays_marks(tmp_path: Path, lower: Path) -> None:
    root = unpack(
        archive(entry("a/.wh.x"), entry("d/.wh..wh..opq"), entry(".wh.nothing")),
        tmp_path / "l",
        [lower],
    )
    assert is_whiteout(root / "a/x")
    assert is_opaque(root / "d")
    assert sorted(os.listdir(root)) == ["a", "d"]  # what hides nothing would be listed


def test_whiteouts_concern_only_the_layers_below(tmp_path: Path, lower: Path) -> None:
    root = unpack(
        archive(
            entry("a/x", b"new"), entry("a/.wh.x"), entry("a/.wh.y"), entry("a/y", b"new"),
            folder("d"), entry("d/own"), entry(".wh.d"),
        ),
        tmp_path / "l", [lower],
    )  # fmt: skip
    assert ((root / "a/x").read_bytes(), (root / "a/y").read_bytes()) == (b"new", b"new")
    assert is_opaque(root / "d")
    assert os.listdir(root / "d") == ["own"]


def test_a_folder_in_place_of_a_whiteout_hides_what_was_removed(
    tmp_path: Path, lower: Path
) -> None:
    root = unpack(archive(entry(".wh.d"), folder("d"), entry("d/own")), tmp_path / "l", [lower])
    assert is_opaque(root / "d")


@pytest.mark.parametrize(
    "name", [".wh.", ".wh..", ".wh...", "a/.wh...", ".wh..wh.plnk", ".wh..wh.aufs"]
)
def test_whiteouts_of_no_name_mean_nothing(tmp_path: Path, lower: Path, name: str) -> None:
    root = unpack(archive(folder("a"), entry("a/x", b"1"), entry(name)), tmp_path / "l", [lower])
    assert (root / "a/x").read_bytes() == b"1"
    assert os.listdir(root) == ["a"]
    assert not is_opaque(root)


def test_a_file_larger_than_the_disk_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cntnr_compose.images.layers.extract.LARGE_FILE", 10)
    room = os.statvfs_result((4096, 4096, 10, 1, 0, 10, 10, 10, 0, 255))
    monkeypatch.setattr("cntnr_compose.images.layers.extract.os.fstatvfs", lambda _: room)
    with pytest.raises(OSError, match="No space left"):
        unpack(archive(entry("f", bytes(2000))), tmp_path / "l")


def test_what_cannot_go_on_ends(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def check() -> None:
        raise Stop

    with pytest.raises(Stop):
        unpack(archive(entry("f", bytes(20 << 20))), tmp_path / "l", check=check)


@pytest.mark.parametrize("cut", [1, 300, 512, 700, 1500])
def test_a_layer_that_is_broken_off_is_damaged(tmp_path: Path, cut: int) -> None:
    whole = archive(entry("f", bytes(range(256)) * 4))[: 512 + 1024]
    with pytest.raises(StreamDamaged):
        unpack(whole[: 512 + 1024 - cut] if cut < 1024 else whole[:20], tmp_path / "l")


@pytest.mark.parametrize("number", [(1 << 32) - 1, 1 << 32, 1 << 40])
def test_no_id_is_left_out_because_it_is_too_large(tmp_path: Path, number: int) -> None:
    for kind in ("file", "folder", "symlink"):
        content = archive(entry("f", kind=kind, gid=number, linkname="x"), form=tarfile.GNU_FORMAT)
        with pytest.raises(OwnerNotMapped, match="belongs to"):
            unpack(content, tmp_path / kind)
