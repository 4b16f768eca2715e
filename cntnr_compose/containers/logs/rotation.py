"""Rotate containers' logs as `logging` asks for (max-size, max-file), and end their last lines.

conmon starts a new log file when one would grow too large, and drops the old one. The supervisor links each
log to a second name, ``log.1``, beforehand, so that the old one is kept. A container that writes a lot
between two rounds loses lines, but never fills the disk.
"""

import contextlib
import os
from pathlib import Path

from cntnr_compose.containers.logs.drivers import parse_logging
from cntnr_compose.containers.logs.entries import BLOCK_SIZE, FULL_TAG, PARTIAL_TAG, TAG_OFFSET
from cntnr_compose.core import paths
from cntnr_compose.model.observed import Record


def keep_rotated_log(record: Record) -> None:
    """Link a new log file to ``log.1``; older ones move up by one, the oldest is removed."""
    settings = parse_logging(record.definition.logging)
    if not settings.max_size or settings.max_files == 1:
        return
    log = paths.container_log(record.project, record.id)
    latest = Path(f"{log}.1")
    with contextlib.suppress(FileNotFoundError):
        if latest.exists() and latest.samefile(log):
            return
        for number in range(settings.max_files - 1, 1, -1):
            newer = Path(f"{log}.{number - 1}")
            if newer.exists():
                newer.replace(f"{log}.{number}")
        latest.unlink(missing_ok=True)
        os.link(log, latest)


def end_last_line(record: Record) -> None:
    """End a last line that the container did not end, so that its next run starts a new one."""
    with (
        contextlib.suppress(OSError),
        paths.container_log(record.project, record.id).open("r+b") as log,
    ):
        log.seek(max(0, log.seek(0, os.SEEK_END) - BLOCK_SIZE))
        partial: dict[bytes, bytes] = {}
        for entry in log.read().splitlines():
            time, _, stream = entry[:TAG_OFFSET].partition(b" ")
            if entry[TAG_OFFSET : TAG_OFFSET + 1] == FULL_TAG:
                partial.pop(stream, None)
            elif entry[TAG_OFFSET : TAG_OFFSET + 1] == PARTIAL_TAG:
                partial[stream] = time
        log.writelines(b"%s %s%s \n" % (time, stream, FULL_TAG) for stream, time in partial.items())
