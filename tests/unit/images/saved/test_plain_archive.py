"""A plain archive is made of a compressed one, and of what comes through a pipe."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from cntnr_compose.images.saved.plain_archive import ArchiveUnusable, write_plain_archive

Pack = Callable[[bytes], bytes]
PACKERS: list[Pack] = [
    gzip.compress,
    bz2.compress,
    lzma.compress,
    zstandard.ZstdCompressor().compress,
]


@pytest.fixture
def content() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("file")
        member.size = 300_000
        archive.addfile(member, io.BytesIO(os.urandom(member.size)))
    return out.getvalue()


def plain(path: Path, folder: Path) -> bytes:
    folder.mkdir()
    with path.open("rb") as archive:
        return write_plain_archive(archive, str(path), folder).read_bytes()


@pytest.mark.parametrize("pack", PACKERS)
def test_compressed_files(pack: Pack, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "packed"
    path.write_bytes(pack(content))
    assert plain(path, tmp_path / "draft") == content


@pytest.mark.parametrize("pack", [*PACKERS, bytes])
def test_pipes(pack: Pack, content: bytes, tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    packed = pack(content)

    def write() -> None:
        with os.fdopen(theirs, "wb") as out:
            out.write(packed)

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(ours, "rb") as archive:
        assert write_plain_archive(archive, "", tmp_path).read_bytes() == content
    writer.join()


def test_a_plain_file_is_not_copied(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "plain"
    path.write_bytes(content)
    assert plain(path, tmp_path / "draft") == content
    assert (tmp_path / "draft/archive").readlink() == path


@pytest.mark.parametrize("pack", PACKERS[:3])
def test_torn_and_flipped_files(pack: Pack, content: bytes, tmp_path: Path) -> None:
    packed = pack(content)
    flipped = bytearray(packed)
    for place in range(2000, 2100):
        flipped[place] ^= 0xFF
    for number, wrong in enumerate((packed[: len(packed) // 2], bytes(flipped))):
        path = tmp_path / f"wrong-{number}"
        path.write_bytes(wrong)
        with pytest.raises(ArchiveUnusable, match=r"wrong-\d: it is damaged"):
            plain(path, tmp_path / f"draft-{number}")


@pytest.mark.parametrize(("text", "why"), [(b"", "it is empty"), (b"x" * 600, "is no tar archive")])
def test_what_is_no_archive(text: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(text)
    with pytest.raises(ArchiveUnusable, match=why):
        plain(path, tmp_path / "draft")
