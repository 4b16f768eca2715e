"""Make a plain tar archive of one that is compressed, or that comes through a pipe."""

import bz2
import errno
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
TAR_MAGIC, MAGIC_OFFSET, BLOCK = b"ustar", 257, 512
PIECE: Bytes = 1 << 20


class ArchiveUnusable(CntnrError):
    """An archive has no images, or is torn."""

    hint = "`cntnr load` reads what `docker save` and `cntnr save` write, and OCI layouts in a tar archive"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"cannot load images from {name or 'standard input'}: {why}")


def write_plain_archive(archive: BinaryIO, name: str, folder: Path) -> Path:
    """Return the path of a plain tar archive: a link to the file, or a copy in ``folder``.

    Raises `ArchiveUnusable`, `NoSpace`.
    """
    if not stat.S_ISREG(os.fstat(archive.fileno()).st_mode):
        archive = _write_copy(_pieces(archive), name, folder / "input")
    with archive:
        head = archive.read(BLOCK)
        archive.seek(0)
        if head[MAGIC_OFFSET:].startswith(TAR_MAGIC):
            (folder / "archive").symlink_to(Path(str(archive.name)).absolute())
            return folder / "archive"
        if not head:
            raise ArchiveUnusable(name, "it is empty")
        try:
            plain = _decompressed(archive, head, name)
            _write_copy(plain, name, folder / "archive").close()
        except (StreamDamaged, EOFError, lzma.LZMAError, ValueError) as error:
            raise ArchiveUnusable(name, f"it is damaged ({error})") from error
    return folder / "archive"


def _decompressed(archive: BinaryIO, head: bytes, name: str) -> Iterator[bytes]:
    """Yield the plain content of a compressed archive. Raises `ArchiveUnusable` and what decoders raise."""
    if head.startswith((GZIP_MAGIC, ZSTD_MAGIC)):
        return read_plain(archive)
    if head.startswith(BZIP2_MAGIC):
        return _pieces(cast("BinaryIO", bz2.open(archive)))
    if head.startswith(XZ_MAGIC):
        return _pieces(cast("BinaryIO", lzma.open(archive)))
    raise ArchiveUnusable(name, "it is no tar archive")


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


def _write_copy(pieces: Iterator[bytes], name: str, path: Path) -> BinaryIO:
    """Write a copy, as far as the disk has room, and open it. Raises `NoSpace`."""
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
    return path.open("rb")
