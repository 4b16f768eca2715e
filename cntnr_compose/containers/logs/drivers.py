"""Log drivers of containers, and their options: where output goes, and how much of it is kept."""

from cntnr_compose.core import units
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes, Value
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
