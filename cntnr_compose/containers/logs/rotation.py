"""Keeps containers' logs within what `logging` asks for, max-size and max-file, and their lines whole.

conmon begins a log anew when it would grow too large. What it drops then is kept by a second name,
``log.1``, which the supervisor gives each log in time; so a container that writes a lot between two looks
loses lines, but never fills the disk.
"""

import contextlib
import os
from pathlib import Path

from cntnr_compose.containers.logs.reader import BLOCK_SIZE, FULL_TAG, TAG_OFFSET
from cntnr_compose.core import paths, units
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes, Value
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Logging

# Drivers that keep a file which `logs` reads; the others have a place of their own.
FILE_DRIVERS = ("", "json-file", "local", "k8s-file")


class LogDriverUnknown(CntnrError):
    """A log driver that takes a daemon or a remote service."""

    hint = "use json-file, local or none"

    def __init__(self, driver: str) -> None:
        super().__init__(f"cannot log to {driver}: there is no such log driver here")


class LogOptionInvalid(CntnrError):
    """An option of a log driver has a value that makes no sense."""

    def __init__(self, option: str, value: str) -> None:
        what = "size, such as 10m" if option == "max-size" else "number above 0"
        super().__init__(f'cannot keep logs as asked: {option} "{value}" is no {what}')


class LogSettings(Value, frozen=True, kw_only=True):
    """Where a container's output goes, and how much of it is kept; 0 bytes: all."""

    driver: str = "k8s-file"
    max_size: Bytes = 0
    max_files: int = 1


def parse_logging(logging: Logging | None) -> LogSettings:
    """Read what a service asks for. Raises `DriverUnknown`, `LogOptionInvalid`."""
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
        found = units.parse_size(text)
    except units.InvalidSize:
        found = 0
    if found <= 0:
        raise LogOptionInvalid("max-size", text)
    return found


def _parse_max_file(options: dict[str, str]) -> int:
    text = options.get("max-file", "1")
    if not (text.isascii() and text.isdecimal() and int(text[:9])):
        raise LogOptionInvalid("max-file", text)
    return int(text[:9])


def keep_rotated_log(record: Record) -> None:
    """Give a log that conmon began anew its second name; the one before it moves on, the oldest goes."""
    wanted = parse_logging(record.definition.logging)
    if not wanted.max_size or wanted.max_files == 1:
        return
    log = paths.container_log(record.project, record.id)
    latest = Path(f"{log}.1")
    with contextlib.suppress(FileNotFoundError):
        if latest.exists() and latest.samefile(log):
            return
        for number in range(wanted.max_files - 1, 1, -1):
            newer = Path(f"{log}.{number - 1}")
            if newer.exists():
                newer.replace(f"{log}.{number}")
        latest.unlink(missing_ok=True)
        os.link(log, latest)


def end_last_line(record: Record) -> None:
    """End a last line that the container did not end, so that its next run begins one of its own."""
    with (
        contextlib.suppress(OSError),
        paths.container_log(record.project, record.id).open("r+b") as log,
    ):
        log.seek(max(0, log.seek(0, os.SEEK_END) - BLOCK_SIZE))
        begun: dict[bytes, bytes] = {}
        for entry in log.read().splitlines():
            stamp, _, stream = entry[:TAG_OFFSET].partition(b" ")
            if entry[TAG_OFFSET : TAG_OFFSET + 1] == FULL_TAG:
                begun.pop(stream, None)
            elif entry[TAG_OFFSET : TAG_OFFSET + 1] == b"P":
                begun[stream] = stamp
        log.writelines(b"%s %s%s \n" % (stamp, stream, FULL_TAG) for stream, stamp in begun.items())
