"""Log drivers of containers, and their options: where output goes, and how much of it is kept."""

from cntnr_compose.core import units
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes, Value
from cntnr_compose.model.service import Logging

# Drivers whose only place is a file. Others have one, too, which `logs` reads: docker's "dual logging".
FILE_DRIVERS = ("", "json-file", "local", "k8s-file")
# As in docker, of the driver local and of what is kept here of others' output.
LOCAL_SIZE, LOCAL_COUNT = "20m", "5"


class LogOptionInvalid(CntnrError):
    """An option of a log driver has an invalid value."""

    def __init__(self, option: str, value: str) -> None:
        what = "size, such as 10m" if option.endswith("size") else "number above 0"
        super().__init__(f'cannot keep logs as asked: {option} "{value}" is no {what}')


class LogSettings(Value, frozen=True, kw_only=True):
    """Log driver of a container, and how much of its output is kept; 0 bytes: all."""

    driver: str = "k8s-file"
    uses_journal: bool = False
    max_size: Bytes = 0
    max_files: int = 1


def parse_logging(logging: Logging | None) -> LogSettings:
    """Parse `logging` of a service. Raises `LogOptionInvalid`."""
    if logging is None:
        return LogSettings()
    options = logging.options
    if logging.driver == "none":
        return LogSettings(driver="none")
    prefix = "" if logging.driver in FILE_DRIVERS else "cache-"
    is_bounded = logging.driver not in FILE_DRIVERS or logging.driver == "local"
    size, count = (LOCAL_SIZE, LOCAL_COUNT) if is_bounded else ("", "1")
    return LogSettings(
        uses_journal=logging.driver == "journald",
        max_size=_parse_size(f"{prefix}max-size", options.get(f"{prefix}max-size", size)),
        max_files=_parse_count(f"{prefix}max-file", options.get(f"{prefix}max-file", count)),
    )


def _parse_size(option: str, text: str) -> Bytes:
    if text in ("", "-1"):  # docker's word for no limit
        return 0
    try:
        size = units.parse_size(text)
    except units.InvalidSize:
        size = 0
    if size <= 0:
        raise LogOptionInvalid(option, text)
    return size


def _parse_count(option: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:9])):
        raise LogOptionInvalid(option, text)
    return int(text[:9])
