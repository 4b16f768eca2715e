"""Copy the content of files: as much as they had when they were opened, and holes as holes."""

import errno
import os
from typing import IO

BLOCK_SIZE = 1 << 20
MAX_CALL = 1 << 30  # bytes copied by one call


def copy_open_file(source: int, target: int, size: int) -> None:
    """Copy ``size`` bytes of an open file into an empty one; fewer where it has become shorter."""
    position = 0
    while position < size:
        start, end = _find_data(source, position, size)
        if start > position:
            os.lseek(target, start, os.SEEK_SET)
        _copy_range(source, target, start, end)
        position = end
    if size and os.fstat(target).st_size < size == position:
        os.ftruncate(target, size)


def _find_data(source: int, position: int, size: int) -> tuple[int, int]:
    """Return where data starts and ends at or after a position; both are ``size`` in the last hole."""
    try:
        start = os.lseek(source, position, os.SEEK_DATA)
        end = os.lseek(source, start, os.SEEK_HOLE)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return size, size
        return position, size  # a file system without holes
    return min(start, size), min(end, size)


def _copy_range(source: int, target: int, start: int, end: int) -> None:
    while start < end:
        count = os.sendfile(target, source, start, min(end - start, MAX_CALL))
        if not count:
            return
        start += count


def copy_stream(source: IO[bytes], target: int) -> None:
    """Copy a stream to its end into an empty file; blocks of zeros become holes."""
    size = 0
    while block := source.read(BLOCK_SIZE):
        size += len(block)
        if block.count(0) == len(block):
            os.lseek(target, len(block), os.SEEK_CUR)
        else:
            write_all(target, block)
    if os.fstat(target).st_size < size:
        os.ftruncate(target, size)


def write_all(target: int, data: bytes) -> None:
    """Write all bytes to a descriptor."""
    view = memoryview(data)
    while view:
        view = view[os.write(target, view) :]
