"""Mount points are read from /proc/self/mountinfo."""

import os
from pathlib import Path

import pytest

from cntnr_compose.host import mounts


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
    expected = [real / "a/deeper still", real / "a"]
    assert mounts.mount_points_below(real) == expected
    assert mounts.mount_points_below(link) == expected
