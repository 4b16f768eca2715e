"""Keeps containers' logs within what `logging` asks for: max-size and max-file."""

import contextlib
import os
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes, Value
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Logging

# Drivers that keep a file which `logs` reads; the others have a place of their own.
FILES = ("", "json-file", "local", "k8s-file")
REOPEN = "2 0 0\n"  # conmon's control message to open its log anew


class DriverUnknown(CntnrError):
    """A log driver that takes a daemon or a remote service."""

    hint = "use json-file, local or none"

    def __init__(self, driver: str) -> None:
        super().__init__(f"cannot log to {driver}: there is no such log driver here")


class Settings(Value, frozen=True, kw_only=True):
    """Where a container's output goes, and how much of it is kept; 0 bytes: all."""

    driver: str = "k8s-file"
    most: Bytes = 0
    files: int = 1


def settings(logging: Logging | None) -> Settings:
    """Read what a service asks for. Raises `DriverUnknown`."""
    if logging is None:
        return Settings()
    if logging.driver == "none":
        return Settings(driver="none")
    if logging.driver not in FILES:
        raise DriverUnknown(logging.driver)
    from cntnr_compose.core import units

    most = logging.options.get("max-size", "")
    files = logging.options.get("max-file", "1")
    return Settings(most=units.size(most) if most else 0, files=max(1, int(files or 1)))


def rotate(record: Record) -> None:
    """Put a log that has grown too large aside, and let conmon begin another one.

    ``log.1`` is the latest of those put aside; the oldest goes.
    """
    wanted = settings(record.definition.logging)
    log = paths.log(record.project, record.id)
    try:
        if not wanted.most or log.stat().st_size <= wanted.most:
            return
    except OSError:
        return
    for number in range(wanted.files - 1, 0, -1):
        older = Path(f"{log}.{number}")
        newer = log if number == 1 else Path(f"{log}.{number - 1}")
        if newer.exists():
            newer.replace(older)
    log.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        control = os.open(paths.bundle(record.id) / "ctl", os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(control, REOPEN.encode())
        finally:
            os.close(control)
