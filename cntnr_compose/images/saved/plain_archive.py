"""Make a plain tar archive of one that is compressed, or that comes through a pipe."""

import bz2
import errno
import itertools
import lzma
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes
from cntnr_compose.images.errors import NoSpace
from cntnr_compose.images.layers.archive.decompress import (
    GZIP_MAGIC,
    ZSTD_MAGIC,
    StreamDamaged,
    read_plain,
)
from cntnr_compose.images.transports import skopeo

BZIP2_MAGIC, XZ_MAGIC = b"BZh", b"\xfd7zXZ"
COMPRESSED = (GZIP_MAGIC, ZSTD_MAGIC, BZIP2_MAGIC, XZ_MAGIC)
TAR_MAGIC, MAGIC_OFFSET, BLOCK = b"ustar", 257, 512
PIECE: Bytes = 1 << 20


class ArchiveUnusable(CntnrError):
    """An archive has no images, or is torn."""

    hint = "`cntnr load` reads what `docker save` and `cntnr save` write, and OCI layouts in a tar archive"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"cannot load images from {name or 'standard input'}: {why}")


def write_plain_archive(archive: BinaryIO, name: str, folder: Path) -> Path:
    """Return the path of a plain tar archive: a link to the file ``name``, or a copy in ``folder``.

    Raises `ArchiveUnusable`, `NoSpace`.
    """
    head = archive.read(BLOCK)
    if not head:
        raise ArchiveUnusable(name, "it is empty")
    is_plain = head[MAGIC_OFFSET:].startswith(TAR_MAGIC)
    if not is_plain and not head.startswith(COMPRESSED):
        raise ArchiveUnusable(name, "it is no tar archive")
    plain = folder / "archive"
    if name and stat.S_ISREG(os.fstat(archive.fileno()).st_mode):
        archive.seek(0)
        if is_plain:
            plain.symlink_to(Path(name).absolute())
            return plain
        _decompress(archive, head, name, plain)
        return plain
    path = plain if is_plain else folder / "input"
    _write_copy(itertools.chain([head], _pieces(archive)), name, path)
    if not is_plain:
        with path.open("rb") as copy:
            _decompress(copy, head, name, plain)
    return plain


def _decompress(archive: BinaryIO, head: bytes, name: str, path: Path) -> None:
    """Write the plain content of a compressed archive. Raises `ArchiveUnusable`, `NoSpace`."""
    try:
        _write_copy(_decompressed(archive, head), name, path)
    except (StreamDamaged, EOFError, OSError, lzma.LZMAError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # bz2 raises one without
            raise
        raise ArchiveUnusable(name, f"it is damaged ({error})") from error


def _decompressed(archive: BinaryIO, head: bytes) -> Iterator[bytes]:
    """Yield the plain content of a compressed archive. Raises what decoders raise."""
    if head.startswith(BZIP2_MAGIC):
        return _pieces(cast("BinaryIO", bz2.open(archive)))
    if head.startswith(XZ_MAGIC):
        return _pieces(cast("BinaryIO", lzma.open(archive)))
    return read_plain(archive)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


def _write_copy(pieces: Iterator[bytes], name: str, path: Path) -> None:
    """Write a copy, as far as the disk has room. Raises `NoSpace`."""
    room = shutil.disk_usage(path.parent).free
    try:
        with path.open("wb") as out:
            for piece in pieces:
                room -= len(piece)
                if room < 0:
                    raise NoSpace(name)
                if skopeo.is_stopped():
                    raise KeyboardInterrupt
                out.write(piece)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(name) from error
        raise
