"""Unpack image archives that skopeo cannot read without root.

From an `oci-archive:` skopeo restores the owner of each file. Only root may do that, and the owner means
nothing: only names that a layout has are taken, as plain files. Of a `docker-archive:` skopeo may not be able
to read a compressed one.
"""

import gzip
import itertools
import os
import re
import shutil
import stat
import tarfile
import zlib
from pathlib import Path
from typing import IO, cast

from cntnr_compose.core.values import Bytes
from cntnr_compose.images.errors import ImageError, NoSpace
from cntnr_compose.images.layers.archive.bounded_header import BoundedHeader
from cntnr_compose.images.transports import skopeo
from cntnr_compose.images.transports.skopeo_errors import INTERRUPTED, parse_error
from cntnr_compose.model import image_name

LAYOUT_FILE = re.compile(r"(?:\./)*(oci-layout|index\.json|blobs/[a-z0-9]+/[0-9a-f]{32,128})")
GZIP_MAGIC = b"\x1f\x8b"
CHUNK_SIZE: Bytes = 1 << 20
MAX_FILES = 100_000


class ArchiveDamaged(ImageError):
    """An archive is truncated, or holds what no image has."""

    hint = "make it again, or get a whole copy"

    def __init__(self, ref: str, why: str) -> None:
        super().__init__(ref, f"the archive is damaged ({why})")


def unpack_archive(ref: str, draft: Path) -> str:
    """Unpack an image archive, and return the reference under which skopeo reads the result.

    Other references are returned unchanged, and so are archives that are neither plain nor compressed by
    gzip: skopeo reports what is wrong with those. Raises `ArchiveDamaged`, `NoSpace`.
    """
    transport = image_name.transport(ref)
    path, colon, image = ref.removeprefix(transport).partition(":")
    if transport not in ("oci-archive:", "docker-archive:"):
        return ref
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb")
    except OSError:
        return ref
    target = draft / "archive"
    with file:
        try:
            new_transport = _write_readable_copy(ref, file, transport, target)
        except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, ValueError) as error:
            raise ArchiveDamaged(ref, str(error) or "it ends too early") from error
    return f"{new_transport}{target}{colon}{image}" if new_transport else ref


def _write_readable_copy(ref: str, file: IO[bytes], transport: str, target: Path) -> str:
    """Write a copy that skopeo can read, and return its transport; '' where the archive is readable."""
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return ""
    head = file.read(512)
    file.seek(0)
    is_compressed = head.startswith(GZIP_MAGIC)
    uncompressed = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if is_compressed else file
    archive = BoundedReader(ref, uncompressed, shutil.disk_usage(target.parent).free)
    if transport == "docker-archive:" and is_compressed:
        with target.open("wb") as out:
            shutil.copyfileobj(archive, out, CHUNK_SIZE)
        return transport
    if transport == "oci-archive:" and (is_compressed or head[257:262] == b"ustar"):
        extract_layout(archive, target)
        return "oci:"
    return ""


def extract_layout(archive: "BoundedReader", folder: Path) -> None:
    """Extract the files of an OCI layout. Raises what `tarfile` raises, `NoSpace`."""
    folder.mkdir()
    with tarfile.open(
        fileobj=cast("IO[bytes]", archive), mode="r:", tarinfo=BoundedHeader
    ) as members:
        for member in itertools.islice(members, MAX_FILES):
            match = LAYOUT_FILE.fullmatch(member.name)
            # A sparse file may pretend to be of any size.
            if match is None or not member.isreg() or member.issparse():
                continue
            content = members.extractfile(member)
            assert content is not None
            target = folder / match[1]
            target.parent.mkdir(parents=True, exist_ok=True)
            with content, target.open("wb") as out:
                shutil.copyfileobj(content, out, CHUNK_SIZE)


class BoundedReader:
    """Read no more of an archive than the disk has room for."""

    def __init__(self, ref: str, plain: IO[bytes], room: Bytes) -> None:
        """Take the archive as it is before it is compressed."""
        self._ref = ref
        self._plain = plain
        self._room = room

    def read(self, size: int = CHUNK_SIZE, /) -> bytes:
        """Read a part."""
        self._check(self.tell() + size)
        return self._plain.read(size)

    def seek(self, offset: int) -> int:
        """Move to another offset."""
        self._check(offset)
        return self._plain.seek(offset)

    def tell(self) -> int:
        """Return the offset."""
        return self._plain.tell()

    def _check(self, offset: int) -> None:
        if skopeo.is_stopped():
            raise parse_error(self._ref, INTERRUPTED)
        if offset > self._room + CHUNK_SIZE:
            raise NoSpace(self._ref)
