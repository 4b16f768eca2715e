"""What a layer gets from the layers below it."""

import os
import stat
from pathlib import Path

import pytest

from cntnr_compose.images.layers.archive.decompress import StreamDamaged
from cntnr_compose.images.layers.complete import LowerLayers
from tests.fakes.descriptors import open_files
from tests.unit.images.layer_archives import archive, entry, folder, unpack


@pytest.fixture
def lower(tmp_path: Path) -> list[Path]:
    """Return three layers, top first: the middle one removes and hides."""
    bottom = unpack(
        archive(
            folder("./", mode=0o711), folder("a", mode=0o700, mtime=5), entry("a/x", b"1", mode=0o640),
            folder("gone"), entry("gone/f"), folder("o"), entry("o/old"),
            entry("s", kind="symlink", linkname="a"),
        ),
        tmp_path / "1",
    )  # fmt: skip
    middle = unpack(
        archive(entry(".wh.gone"), folder("o", mode=0o750), entry("o/.wh..wh..opq"), entry("o/new")),
        tmp_path / "2", [bottom],
    )  # fmt: skip
    top = unpack(archive(entry("t", b"top")), tmp_path / "3", [middle, bottom])
    return [top, middle, bottom]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_without_an_entry_are_like_those_below(tmp_path: Path, lower: list[Path]) -> None:
    root = unpack(
        archive(entry("a/n/f"), entry("o/f"), entry("gone/f"), entry("s/f")), tmp_path / "l", lower
    )
    assert (mode(root), mode(lower[0])) == (0o711, 0o711)
    assert (mode(root / "a"), mode(root / "o"), mode(root / "gone")) == (0o700, 0o750, 0o755)
    assert (root / "a").stat().st_mtime == 5
    assert mode(root / "a/n") == 0o755
    assert not (
        root / "s"
    ).is_symlink()  # as docker has it: what a layer below links to does not count


def test_a_folder_with_an_entry_is_as_that_says(tmp_path: Path, lower: list[Path]) -> None:
    root = unpack(archive(entry("a/f"), folder("a", mode=0o711)), tmp_path / "l", lower)
    assert mode(root / "a") == 0o711


def test_hard_links_to_files_below_are_copies(tmp_path: Path, lower: list[Path]) -> None:
    root = unpack(
        archive(
            entry("h", kind="link", linkname="a/x"), entry("i", kind="link", linkname="h"),
            entry("j", kind="link", linkname="s"),
            entry("k", kind="link", linkname="a/x"), entry("k", b"own"),
            entry("z/.wh.h"),
        ),
        tmp_path / "l", lower,
    )  # fmt: skip
    assert (root / "h").read_bytes() == b"1"
    assert mode(root / "h") == 0o640
    assert (root / "i").samefile(root / "h")
    assert os.readlink(root / "j") == "a"
    assert (root / "k").read_bytes() == b"own"


@pytest.mark.parametrize("target", ["nothing", "gone/f", "o/old", "a", "s/x"])
def test_hard_links_to_nothing_are_an_error(tmp_path: Path, lower: list[Path], target: str) -> None:
    with pytest.raises(StreamDamaged, match="hard link"):
        unpack(archive(entry("h", kind="link", linkname=target)), tmp_path / "l", lower)


def test_files_are_found_as_overlay_shows_them(lower: list[Path]) -> None:
    below = LowerLayers(lower)
    for path, is_there in {
        "t": True, "a/x": True, "gone": False, "gone/f": False, "o/old": False, "o/new": True,
        "s": True, "s/x": False,
    }.items():  # fmt: skip
        with below.find(path) as file:
            assert (file is not None) == is_there, path
    parent = str(lower[0].parent)
    with below.open_folders("o") as folders:
        assert len(folders) == len(open_files(parent)) == 1
    assert open_files(parent) == []


def test_the_folder_of_a_layer_may_be_a_link(tmp_path: Path, lower: list[Path]) -> None:
    (tmp_path / "link").symlink_to(lower[2])
    root = unpack(archive(entry("a/f")), tmp_path / "l", [tmp_path / "link"])
    assert mode(root / "a") == 0o700
