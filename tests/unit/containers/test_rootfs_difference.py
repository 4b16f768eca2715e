"""A whole root file system beside the layers that it was copied from."""

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from cntnr_compose.containers.rootfs.changes import list_changes
from cntnr_compose.containers.rootfs.difference import walk_difference
from cntnr_compose.host.openat2 import Root
from cntnr_compose.images.layers.complete import LowerLayers

OLD = 1_600_000_000


@pytest.fixture
def layers(layers: list[Path]) -> list[Path]:
    """Make the files of the layers old, and add a link."""
    for path in layers[-1].rglob("*"):
        os.utime(path, (OLD, OLD))
    (layers[-1] / "bin/link").symlink_to("sh")
    return layers


@pytest.fixture
def rootfs(tmp_path: Path, layers: list[Path]) -> Path:
    """Copy the files of the layers, as a container would see them."""
    folder = tmp_path / "rootfs"
    shutil.copytree(layers[-1], folder, symlinks=True)
    (folder / "etc/gone").unlink()
    return folder


def difference(rootfs: Path, layers: list[Path], **more: Callable[[], None]) -> list[str]:
    with Root(rootfs) as root:
        entries = walk_difference(root, LowerLayers(layers), **more)
        return [
            f"{'-' if stat.S_ISCHR(entry.status.st_mode) else '+'} {entry.path}"
            for entry in entries
            if entry.folder < 0 or entry.name in os.listdir(entry.folder)
        ]


def changes(rootfs: Path, layers: list[Path], *mount_points: str) -> list[str]:
    lower = LowerLayers(layers)
    with Root(rootfs) as root:
        listed = list_changes(root, lower, mount_points, lambda root: walk_difference(root, lower))
        return [f"{change.kind} {change.path}" for change in listed]


def test_what_is_the_same_is_no_difference(rootfs: Path, layers: list[Path]) -> None:
    assert difference(rootfs, layers) == []
    (rootfs / "proc").mkdir()  # for a mount
    assert difference(rootfs, layers) == ["+ proc"]
    assert changes(rootfs, layers, "proc") == []


def test_folders_come_before_what_is_different_in_them(rootfs: Path, layers: list[Path]) -> None:
    (rootfs / "bin/yes").unlink()
    (rootfs / "bin/link").unlink()
    (rootfs / "bin/link").symlink_to("yes")
    (rootfs / "deep/er/file").write_text("y")
    os.utime(rootfs / "deep/er/file", (OLD, OLD))  # of the same size and time
    (rootfs / "etc/passwd").chmod(0o600)
    (rootfs / "etc/gone").write_text("back")
    shutil.rmtree(rootfs / "empty")
    (rootfs / "new/er").mkdir(parents=True)
    assert difference(rootfs, layers) == [
        "- empty", "+ bin", "- bin/yes", "+ bin/link", "+ deep", "+ deep/er", "+ deep/er/file",
        "+ etc", "+ etc/gone", "+ etc/passwd", "+ new", "+ new/er",
    ]  # fmt: skip
    assert changes(rootfs, layers) == [
        "D empty", "C bin", "D bin/yes", "C bin/link", "C deep/er/file",
        "C etc", "A etc/gone", "C etc/passwd", "A new", "A new/er",
    ]  # fmt: skip


def test_what_has_become_something_else(rootfs: Path, layers: list[Path]) -> None:
    shutil.rmtree(rootfs / "deep")
    (rootfs / "deep").symlink_to("/etc")
    (rootfs / "etc/passwd").unlink()
    (rootfs / "etc/passwd").mkdir()
    (rootfs / "etc/passwd/x").write_text("")
    assert changes(rootfs, layers) == ["C deep", "C etc/passwd", "A etc/passwd/x"]


def test_it_can_be_ended(rootfs: Path, layers: list[Path]) -> None:
    def end() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        difference(rootfs, layers, check=end)
