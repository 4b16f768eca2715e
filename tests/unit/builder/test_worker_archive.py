"""ADD of archives, extracted in Python where files are in the way."""

import io
import os
import stat
import tarfile
from pathlib import Path

import pytest

from cntnr_compose.builder.worker.archive import AddedArchiveDamaged, extract_archive, is_archive
from cntnr_compose.host.openat2 import Root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/here").write_text("before")
    return tmp_path / "root"


def entry(name: str, kind: bytes = tarfile.REGTYPE, **more: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.uid, info.gid, info.mtime = kind, os.getuid(), os.getgid(), 1000
    for key, value in more.items():
        setattr(info, key, value)
    return info


def extract(root: Path, *entries: tarfile.TarInfo, to: str = "", mode: str = "w") -> None:
    path = root.parent / "a.tar"
    with tarfile.open(path, mode, format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]
        for member in entries:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    assert is_archive(path)
    with Root(root) as opened:
        target = root / to if to else root
        extract_archive(opened, target, path, where="Dockerfile:2", check=lambda: None)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
def test_everything_is_unpacked_as_it_is(root: Path, mode: str) -> None:
    extract(
        root,
        entry("./", tarfile.DIRTYPE, mode=0o750),
        entry("./d", tarfile.DIRTYPE, mode=0o711),
        entry("./d/f", size=3, mode=0o4755, pax_headers={"SCHILY.xattr.user.a": "b"}),
        entry("d/hard", tarfile.LNKTYPE, linkname="./d/f"),
        entry("d/soft", tarfile.SYMTYPE, linkname="../nowhere"),
        entry("new/deep/g", size=1),
        entry("pipe", tarfile.FIFOTYPE),
        entry("dev", tarfile.CHRTYPE, devmajor=1, devminor=3),
        mode=mode,
    )
    status = (root / "d/f").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_mtime, status.st_nlink) == (0o4755, 1000, 2)
    assert (root / "d/f").read_text() == "xxx"
    assert os.getxattr(root / "d/f", "user.a") == b"b"
    assert (root / "d/soft").readlink() == Path("../nowhere")
    assert (root / "d").stat().st_mtime == 1000
    assert stat.S_IMODE((root / "d").stat().st_mode) == 0o711
    assert stat.S_IMODE(root.stat().st_mode) == 0o750
    assert (root / "new/deep/g").is_file()
    assert not (root / "dev").exists()  # nobody without root makes devices


def test_it_goes_into_a_folder_and_replaces_what_is_in_the_way(root: Path) -> None:
    (root / "in/file/below").mkdir(parents=True)
    (root / "in/folder").write_text("")
    (root / "in/both").mkdir()
    (root / "in/both/stays").write_text("")
    extract(
        root, entry("file", size=1), entry("folder", tarfile.DIRTYPE),
        entry("both", tarfile.DIRTYPE), entry("both/new", size=1), to="in",
    )  # fmt: skip
    assert (root / "in/file").is_file()
    assert (root / "in/folder").is_dir()
    assert sorted(path.name for path in (root / "in/both").iterdir()) == ["new", "stays"]
    assert (root / "here").read_text() == "before"


def test_no_name_and_no_link_leads_out_of_the_image(root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    extract(
        root,
        entry("../outside/a", size=1),
        entry("/outside/b", size=1),
        entry("link", tarfile.SYMTYPE, linkname=str(outside)),
        entry("link/c", size=1),
        entry("up", tarfile.SYMTYPE, linkname="../outside"),
        entry("up/d", size=1),
    )
    assert list(outside.iterdir()) == []
    assert (root / "outside/a").is_file()
    assert (root / "outside/b").is_file()


def test_times_are_given_to_no_link_that_took_a_folders_place(root: Path) -> None:
    outside = root.parent / "outside"
    (outside / "below").mkdir(parents=True)
    before = outside.stat().st_mtime, (outside / "below").stat().st_mtime
    extract(
        root,
        entry("d", tarfile.DIRTYPE, mode=0o755),
        entry("d/below", tarfile.DIRTYPE, mode=0o755),
        entry("d", tarfile.SYMTYPE, linkname=str(outside)),
    )
    assert (outside.stat().st_mtime, (outside / "below").stat().st_mtime) == before


def test_an_archive_that_ends_too_early_is_told(root: Path) -> None:
    extract(root, entry("f", size=50_000))
    path = root.parent / "a.tar"
    path.write_bytes(path.read_bytes()[:20_000])
    with Root(root) as opened, pytest.raises(AddedArchiveDamaged) as caught:
        extract_archive(opened, root, path, where="Dockerfile:2", check=lambda: None)
    assert str(caught.value) == "Dockerfile:2: cannot unpack a.tar: unexpected end of data"


def test_other_files_are_no_archives(tmp_path: Path) -> None:
    for name, content in {"a.tar": b"", "b.tar": b"hello" * 1000, "c.gz": b"\x1f\x8b nope"}.items():
        (tmp_path / name).write_bytes(content)
        assert not is_archive(tmp_path / name)


def test_a_name_that_would_fill_the_memory_is_refused(root: Path) -> None:
    long = tarfile.TarInfo("long")
    long.type, long.size = tarfile.GNUTYPE_LONGNAME, 2 << 20
    path = root.parent / "a.tar"
    path.write_bytes(tarfile.TarInfo("first").tobuf() + long.tobuf() + b"x" * (2 << 20))
    assert is_archive(path)
    with Root(root) as opened, pytest.raises(AddedArchiveDamaged, match="a header is too long"):
        extract_archive(opened, root, path, where="Dockerfile:2", check=lambda: None)
