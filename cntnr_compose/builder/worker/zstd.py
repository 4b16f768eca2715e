"""Drive zstd, which Python does not have: the beginning of a file, or all of it."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from cntnr_compose.core.values import Bytes
from cntnr_compose.host import process

MAGIC = b"\x28\xb5\x2f\xfd"
CHUNK = 1 << 20


def is_zstd(path: Path) -> bool:
    """Return whether a file is compressed by zstd."""
    with path.open("rb") as head:
        return head.read(len(MAGIC)) == MAGIC


@contextlib.contextmanager
def _decompressing(path: Path) -> Iterator[tuple[BinaryIO, process.RunningProgram]]:
    """Start zstd; yield what it writes, and its handle. It is killed at the end. Raises `ProgramMissing`."""
    readable, writable = os.pipe2(os.O_CLOEXEC)
    with os.fdopen(readable, "rb") as out, Path(os.devnull).open("r+b") as null:
        try:
            running = process.popen(
                ["zstd", "-dcq", "--", str(path)],
                stdin=null.fileno(), stdout=writable, stderr=null.fileno(),
            )  # fmt: skip
        finally:
            os.close(writable)
        try:
            yield out, running
        finally:
            running.kill()
            running.wait()


def read_beginning(path: Path, size: Bytes) -> bytes:
    """Decompress the beginning of a file, as much as can be had of it. Raises `ProgramMissing`."""
    with _decompressing(path) as (out, _):
        return out.read(size)


def decompress(path: Path, target: Path, check: Callable[[], None]) -> bool:
    """Decompress a file to a new one; return whether it is whole. Raises `ProgramMissing`."""
    with _decompressing(path) as (out, running), target.open("xb") as plain:
        while block := out.read(CHUNK):
            check()
            plain.write(block)
        return running.wait() == 0
