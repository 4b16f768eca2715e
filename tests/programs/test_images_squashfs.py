"""squashfuse and mksquashfs: how they are called, and what counts as failed."""

from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.images.layers import squashfs
from tests.fakes.programs import Programs


@pytest.fixture
def fuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    device = tmp_path / "fuse"
    device.write_text("")
    monkeypatch.setattr(squashfs, "FUSE", device)
    monkeypatch.setattr(paths, "holder_tmpfs", lambda: tmp_path / "run")
    return device


def test_mounting_takes_the_program_and_the_device(programs: Programs, fuse: Path) -> None:
    programs.add("squashfuse")
    assert squashfs.can_mount()
    fuse.unlink()
    assert not squashfs.can_mount()


def test_a_file_is_mounted_once(programs: Programs, fuse: Path, tmp_path: Path) -> None:
    programs.add("squashfuse", 'mkdir "$4/fs"')
    place = tmp_path / "run/squashfs/c-1/fs"
    assert squashfs.mount(tmp_path / "c-1.squashfs", "c-1") == place
    assert squashfs.mount(tmp_path / "c-1.squashfs", "c-1") == place
    assert programs.calls("squashfuse") == [
        ["-o", "allow_other", f"{tmp_path}/c-1.squashfs", str(place.parent)]
    ]


@pytest.mark.parametrize("script", ["exit 1", "true"])
def test_what_shows_no_files_is_not_used(
    programs: Programs, fuse: Path, tmp_path: Path, script: str
) -> None:
    programs.add("squashfuse", script)
    assert squashfs.mount(tmp_path / "c-1.squashfs", "c-1") is None


def test_a_layer_is_written(programs: Programs, tmp_path: Path) -> None:
    programs.add("mksquashfs")
    assert squashfs.can_write()
    squashfs.write(tmp_path / "c-1", tmp_path / "out")
    assert programs.calls("mksquashfs")[0][:2] == [f"{tmp_path}/c-1", f"{tmp_path}/out"]
