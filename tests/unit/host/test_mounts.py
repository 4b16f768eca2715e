"""Where the machine's files are below what the holder mounted over them."""

import os
from pathlib import Path

import pytest

from cntnr_compose.host import mounts


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder as rootlesskit leaves it: links to the original beside them."""
    folder = tmp_path / "etc"
    (folder / ".ro123").mkdir(parents=True)
    (folder / ".ro123/old").write_text("")
    (folder / "old").symlink_to(".ro123/old")
    monkeypatch.setattr("cntnr_compose.host.namespaces.rootlesskit.COPY_UP_FOLDERS", (str(folder),))
    return folder


def test_what_lies_in_a_copied_folder_is_found_in_the_original(copied: Path) -> None:
    assert mounts.host_path(copied / "old") == copied / ".ro123/old"
    assert mounts.host_path(copied / "new") == copied / ".ro123/new"
    assert mounts.host_path(copied) == copied / ".ro123"
    assert mounts.host_path(copied / ".ro123/new") == copied / ".ro123/new"


def test_links_into_a_copied_folder_are_followed(copied: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(copied)
    assert mounts.host_path(tmp_path / "link/new") == copied / ".ro123/new"


def test_other_folders_are_what_they_seem(copied: Path, tmp_path: Path) -> None:
    assert mounts.host_path(tmp_path / "etcetera/x") == tmp_path / "etcetera/x"
    assert mounts.host_path(copied.parent) == copied.parent


def test_mount_points_are_found_below_a_link_and_with_names_of_all_kinds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "дом, no\\thing 'x'"
    real.mkdir()
    link = tmp_path / "link"
    link.symlink_to(real)
    written = os.fsencode(real).replace(b"\\", rb"\134").replace(b" ", rb"\040")
    lines = [
        b"1 2 0:1 / / rw - ext4 x rw",
        b"3 1 0:2 / " + written + b"/a rw - tmpfs x rw",
        b"4 1 0:2 / " + written + rb"/a/deeper\040still rw - tmpfs x rw",
        b"5 1 0:2 / " + written + b"beside rw - tmpfs x rw",
    ]
    monkeypatch.setattr(Path, "read_bytes", lambda _path: b"\n".join(lines) + b"\n")
    wanted = [real / "a/deeper still", real / "a"]
    assert mounts.mount_points_below(real) == wanted
    assert mounts.mount_points_below(link) == wanted
