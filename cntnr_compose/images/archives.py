"""Unpacks archives that hold an image, where skopeo would not.

Of an `oci-archive:` skopeo gives each file to the owner that the archive names. Only root may do that, and
the owner means nothing: only names that a layout has are taken, as plain files. A `docker-archive:` that
is compressed it may not read at all.
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
from cntnr_compose.images import skopeo
from cntnr_compose.model import image_name

LAYOUT_FILE = re.compile(r"(?:\./)*(oci-layout|index\.json|blobs/[a-z0-9]+/[0-9a-f]{32,128})")
GZIP_MAGIC = b"\x1f\x8b"
CHUNK_SIZE: Bytes = 1 << 20
MAX_FILES = 100_000


class ArchiveDamaged(skopeo.ImageError):
    """An archive cannot be read to its end, or holds what no image has."""

    hint = "make it again, or get a whole copy"

    def __init__(self, ref: str, why: str) -> None:
        super().__init__(ref, f"the archive is damaged ({why})")


class NameTooLong(ArchiveDamaged):
    """An archive has a name that would fill the memory."""

    def __init__(self, ref: str) -> None:
        super().__init__(ref, "a name in it is too long")


def unpack_archive(ref: str, draft: Path) -> str:
    """Give the name under which skopeo reads what is in an archive; other images keep theirs.

    What is neither a plain archive nor one compressed by gzip is left to skopeo, and so is what it has to
    say of it. Raises `ArchiveDamaged`, `skopeo.NoSpace`.
    """
    kind = image_name.transport(ref)
    path, colon, image = ref.removeprefix(kind).partition(":")
    if kind not in ("oci-archive:", "docker-archive:"):
        return ref
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb")
    except OSError:
        return ref
    place = draft / "archive"
    with file:
        try:
            found = _write_readable_copy(ref, file, kind, place)
        except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, ValueError) as error:
            raise ArchiveDamaged(ref, str(error) or "it ends too early") from error
    return f"{found}{place}{colon}{image}" if found else ref


def _write_readable_copy(ref: str, file: IO[bytes], kind: str, place: Path) -> str:
    """Write what skopeo reads instead of an archive, and give its kind; nothing where it reads that."""
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return ""
    head = file.read(512)
    file.seek(0)
    is_packed = head.startswith(GZIP_MAGIC)
    plain = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if is_packed else file
    archive = BoundedReader(ref, plain, shutil.disk_usage(place.parent).free)
    if kind == "docker-archive:" and is_packed:
        with place.open("wb") as out:
            shutil.copyfileobj(archive, out, CHUNK_SIZE)
        return kind
    if kind == "oci-archive:" and (is_packed or head[257:262] == b"ustar"):
        _extract_layout(archive, place)
        return "oci:"
    return ""


def _extract_layout(archive: "BoundedReader", place: Path) -> None:
    """Write the files of a layout."""
    place.mkdir()
    with tarfile.open(fileobj=cast("IO[bytes]", archive), mode="r:") as members:
        for member in itertools.islice(members, MAX_FILES):
            found = LAYOUT_FILE.fullmatch(member.name)
            # A file with holes may be as large as it pleases.
            if found is None or not member.isreg() or member.issparse():
                continue
            content = members.extractfile(member)
            assert content is not None
            target = place / found[1]
            target.parent.mkdir(parents=True, exist_ok=True)
            with content, target.open("wb") as out:
                shutil.copyfileobj(content, out, CHUNK_SIZE)


class BoundedReader:
    """An archive as it is read: never much at once, and no more than the disk has room for."""

    def __init__(self, ref: str, plain: IO[bytes], room: Bytes) -> None:
        """Take the archive as it is before it is compressed."""
        self._ref = ref
        self._plain = plain
        self._room = room

    def read(self, size: int = -1, /) -> bytes:
        """Read a part. What is longer in one piece is the name of a file, or pretends to be."""
        if not 0 <= size <= CHUNK_SIZE:
            raise NameTooLong(self._ref)
        self._check(self.tell() + size)
        return self._plain.read(size)

    def seek(self, place: int) -> int:
        """Go on to another place."""
        self._check(place)
        return self._plain.seek(place)

    def tell(self) -> int:
        """Tell the place."""
        return self._plain.tell()

    def _check(self, place: int) -> None:
        if skopeo.is_stopped():
            raise skopeo.parse_error(self._ref, skopeo.INTERRUPTED)
        if place > self._room + CHUNK_SIZE:
            raise skopeo.NoSpace(self._ref)
