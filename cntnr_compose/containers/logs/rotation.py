"""Rotate containers' logs as `logging` asks for (max-size, max-file), and end their last lines.

conmon starts a new log file when one would grow too large, and drops the old one. The supervisor links each
log to a second name, ``log.1``, beforehand, so that the old one is kept. A container that writes a lot
between two rounds loses lines, but never fills the disk.
"""

import contextlib
import os
from pathlib import Path

from cntnr_compose.containers.logs.entries import BLOCK_SIZE, FULL_TAG, PARTIAL_TAG, TAG_OFFSET
from cntnr_compose.core import paths, units
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes, Value
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Logging

# Drivers that write a file which `logs` reads.
FILE_DRIVERS = ("", "json-file", "local", "k8s-file")


class LogDriverUnknown(CntnrError):
    """A log driver needs a daemon or a remote service."""

    hint = "use json-file, local or none"

    def __init__(self, driver: str) -> None:
        super().__init__(f"cannot log to {driver}: there is no such log driver here")


class LogOptionInvalid(CntnrError):
    """An option of a log driver has an invalid value."""

    def __init__(self, option: str, value: str) -> None:
        what = "size, such as 10m" if option == "max-size" else "number above 0"
        super().__init__(f'cannot keep logs as asked: {option} "{value}" is no {what}')


class LogSettings(Value, frozen=True, kw_only=True):
    """Log driver of a container, and how much of its output is kept; 0 bytes: all."""

    driver: str = "k8s-file"
    max_size: Bytes = 0
    max_files: int = 1


def parse_logging(logging: Logging | None) -> LogSettings:
    """Parse `logging` of a service. Raises `LogDriverUnknown`, `LogOptionInvalid`."""
    if logging is None:
        return LogSettings()
    if logging.driver == "none":
        return LogSettings(driver="none")
    if logging.driver not in FILE_DRIVERS:
        raise LogDriverUnknown(logging.driver)
    return LogSettings(
        max_size=_parse_max_size(logging.options), max_files=_parse_max_file(logging.options)
    )


def _parse_max_size(options: dict[str, str]) -> Bytes:
    text = options.get("max-size", "")
    if text in ("", "-1"):  # docker's word for no limit
        return 0
    try:
        size = units.parse_size(text)
    except units.InvalidSize:
        size = 0
    if size <= 0:
        raise LogOptionInvalid("max-size", text)
    return size


def _parse_max_file(options: dict[str, str]) -> int:
    text = options.get("max-file", "1")
    if not (text.isascii() and text.isdecimal() and int(text[:9])):
        raise LogOptionInvalid("max-file", text)
    return int(text[:9])


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
