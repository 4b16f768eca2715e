"""Layer blobs to their plain content: by what they are, in the right order, hashed."""

import gzip
import hashlib
import os
from pathlib import Path

import pytest
import zstandard

from cntnr_compose.images.layers.archive.decompress import StreamDamaged
from cntnr_compose.images.layers.archive.stream import LayerStream

CONTENT = os.urandom(100) * 40_000
HALF = len(CONTENT) // 2
SKIPPED = b"\x5e\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"12345"


def zstd(content: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(content)


BLOBS = {
    "plain": CONTENT,
    "gzip": gzip.compress(CONTENT, 1),
    "members": gzip.compress(CONTENT[:HALF], 1) + gzip.compress(CONTENT[HALF:], 1),  # eStargz
    "zstd": zstd(CONTENT),
    "chunked": zstd(CONTENT[:HALF]) + SKIPPED + zstd(CONTENT[HALF:]) + SKIPPED,  # zstd:chunked
    "skipped": SKIPPED + zstd(CONTENT),
}


@pytest.mark.parametrize("form", BLOBS)
def test_content_and_digest(tmp_path: Path, form: str) -> None:
    (tmp_path / "blob").write_bytes(BLOBS[form])
    with LayerStream(tmp_path / "blob") as stream:
        start = stream.read(700)
        part = b"".join(stream.iterate(2_000_000))
        stream.skip(100)
        assert start + part == CONTENT[:2_000_700]
        assert stream.finish() == f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
        assert stream.read(1) == b""


@pytest.mark.parametrize("form", BLOBS)
def test_a_blob_that_is_broken_off(tmp_path: Path, form: str) -> None:
    (tmp_path / "blob").write_bytes(BLOBS[form][: len(BLOBS[form]) // 3])
    with LayerStream(tmp_path / "blob") as stream, pytest.raises(StreamDamaged):
        stream.skip(len(CONTENT))


@pytest.mark.parametrize("form", ["gzip", "zstd"])
def test_a_blob_with_other_bytes(tmp_path: Path, form: str) -> None:
    blob = bytearray(BLOBS[form])
    blob[20:80] = os.urandom(60)
    (tmp_path / "blob").write_bytes(blob)
    digest = ""
    with LayerStream(tmp_path / "blob") as stream:
        try:
            digest = stream.finish()
        except StreamDamaged:
            return
    assert digest != f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


def test_a_missing_blob(tmp_path: Path) -> None:
    with LayerStream(tmp_path / "blob") as stream, pytest.raises(FileNotFoundError):
        stream.read(1)


def test_who_stops_reading_does_not_wait_for_the_rest(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(gzip.compress(bytes(100 << 20), 1))
    with LayerStream(tmp_path / "blob") as stream:
        assert stream.read(1) == b"\0"
