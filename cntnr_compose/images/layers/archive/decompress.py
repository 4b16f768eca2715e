"""Decompress layer blobs by what they are, not by what their media type claims: gzip, zstd, or plain."""

import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

import zstandard
from isal import igzip, igzip_lib

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
SKIPPABLE_ZSTD_MAGIC = b"\x2a\x4d\x18"  # behind a first byte of 0x50 to 0x5f: a frame to skip
PIECE_SIZE = 1 << 20
DAMAGES: tuple[type[Exception], ...] = (
    cast("type[Exception]", igzip_lib.IsalError),
    igzip.BadGzipFile,
    zlib.error,
    zstandard.ZstdError,
    EOFError,
)


class StreamDamaged(Exception):
    """A layer is broken off, or is not what it claims to be."""

    def __init__(self, *, why: str) -> None:
        super().__init__(why)


def is_zstd(head: bytes) -> bool:
    """Check whether the first four bytes are those of what zstd has compressed."""
    return head == ZSTD_MAGIC or (head[1:] == SKIPPABLE_ZSTD_MAGIC and head[0] >> 4 == 5)


def read_plain(blob: BinaryIO) -> Iterator[bytes]:
    """Yield the plain content of a blob in pieces. Raises `StreamDamaged`, `OSError`.

    Frames and members that follow each other are one stream, as in eStargz and zstd:chunked.
    """
    head = blob.read(4)
    blob.seek(0)
    if head.startswith(GZIP_MAGIC):
        plain = cast("BinaryIO", igzip.open(blob, "rb"))  # type: ignore[no-untyped-call]
    elif is_zstd(head):
        reader = zstandard.ZstdDecompressor().stream_reader(blob, read_across_frames=True)
        plain = cast("BinaryIO", reader)
    else:
        plain = blob
    try:
        while piece := plain.read(PIECE_SIZE):
            yield piece
    except DAMAGES as error:
        raise StreamDamaged(why=str(error) or "it ends too early") from error
