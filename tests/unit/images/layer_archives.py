"""Make tar archives, also hostile ones, and unpack them as layers."""

import io
import os
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cntnr_compose.host import process
from cntnr_compose.images.layers.archive.stream import LayerStream
from cntnr_compose.images.layers.complete import complete_layer
from cntnr_compose.images.layers.extract import LayerExtraction

TIME = 1_234_567_890
KINDS = {
    "file": tarfile.REGTYPE, "folder": tarfile.DIRTYPE, "link": tarfile.LNKTYPE,
    "symlink": tarfile.SYMTYPE, "pipe": tarfile.FIFOTYPE, "device": tarfile.CHRTYPE,
}  # fmt: skip


def entry(
    name: str, content: bytes = b"", kind: str = "file", **other: Any
) -> tuple[tarfile.TarInfo, bytes]:
    """Describe an entry of ours; ``other`` are attributes of its header."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mtime = KINDS[kind], len(content), TIME
    info.mode = 0o755 if kind == "folder" else 0o644
    info.uid, info.gid = os.getuid(), os.getgid()
    for key, value in other.items():
        setattr(info, key, value)
    return info, content


def folder(name: str, **other: Any) -> tuple[tarfile.TarInfo, bytes]:
    """Describe a folder."""
    return entry(name, kind="folder", **other)


def archive(*entries: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """Make an archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, errors="surrogateescape") as writer:
        for info, content in entries:
            writer.addfile(info, io.BytesIO(content))
    return out.getvalue()


@contextmanager
def extraction(
    content: bytes, target: Path, check: Callable[[], None] = lambda: None
) -> Iterator[LayerExtraction]:
    """Extract an archive into a new folder, and yield what is noted."""
    target.mkdir(parents=True)
    blob = target.with_name(f"{target.name}.blob")
    blob.write_bytes(content)
    work = LayerExtraction(target, check)
    try:
        with process.umask(0), LayerStream(blob) as stream:
            work.run(stream)
            stream.finish()
        yield work
    finally:
        work.close()


def unpack(
    content: bytes,
    target: Path,
    lower: Sequence[Path] = (),
    check: Callable[[], None] = lambda: None,
) -> Path:
    """Unpack a layer on top of others, top first."""
    with extraction(content, target, check) as work:
        complete_layer(work, target, lower)
    return target
