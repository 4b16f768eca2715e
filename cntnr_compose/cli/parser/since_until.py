"""Parse which lines of logs are asked for: ``--since``, ``--until`` and ``--tail``."""

import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds

if TYPE_CHECKING:
    from cntnr_compose.containers.logs.lines import LogRange

UNIT_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
DURATION = re.compile(rf"(?:{DURATION_PART.pattern})+")
FRACTION = re.compile(r"(?<=:\d\d)[.,](\d+)")
NANOSECONDS = 1_000_000_000  # in a second
EPOCH: Seconds = 1e-9  # the first time that is none of "now"
LAST_TIME: Seconds = 1e10  # later than any that a clock shows
EPOCH_SECONDS = re.compile(r"\d+(?:\.\d+)?")


class TimeUnreadable(CntnrError):
    """A time has no known form."""

    hint = "it can be 42m, 1h30m, 2026-01-31T12:00:00Z, or seconds since 1970"

    def __init__(self, option: str, text: str) -> None:
        super().__init__(f'cannot read the time "{text}" of {option}')


class TailUnreadable(CntnrError):
    """A value of ``--tail`` is no number."""

    hint = "give a number of lines, or all"

    def __init__(self, text: str) -> None:
        super().__init__(f'invalid argument "{text}" for --tail')


def parse_log_range(values: Mapping[str, Any]) -> "LogRange":
    """Make the range of log lines of the options of a command. Raises `TailUnreadable`, `TimeUnreadable`."""
    from cntnr_compose.containers.logs.lines import LogRange

    return LogRange(
        tail=_parse_tail(values["tail"]),
        since=parse_time("--since", values["since"]),
        until=parse_time("--until", values["until"]),
    )


def _parse_tail(text: str) -> int | None:
    if text == "all":
        return None
    if not text.removeprefix("-").isdecimal():
        raise TailUnreadable(text)
    return int(text) if int(text) >= 0 else None


class TimesReversed(CntnrError):
    """``--until`` is before ``--since``."""

    hint = "a duration such as 10m means that long ago"

    def __init__(self, since: str, until: str) -> None:
        super().__init__(f"--since ({since}) cannot be after --until ({until})")


def parse_time(option: str, text: str, now: Seconds | None = None) -> int | None:
    """Parse a time, absolute or as an age before ``now``; None for an empty text.

    The result is in nanoseconds since 1970, as precise as the time stamps of logs. Raises `TimeUnreadable`.
    """
    if not text:
        return None
    if DURATION.fullmatch(text):
        age = sum(float(count) * UNIT_SECONDS[unit] for count, unit in DURATION_PART.findall(text))
        return round(((time.time() if now is None else now) - age) * NANOSECONDS)
    if EPOCH_SECONDS.fullmatch(text):
        whole, _, fraction = text.partition(".")
        return int(whole) * NANOSECONDS + _nanoseconds(fraction)
    from datetime import datetime

    fraction_match = FRACTION.search(text)
    try:
        seconds = int(datetime.fromisoformat(FRACTION.sub("", text)).timestamp())
    except ValueError:
        raise TimeUnreadable(option, text) from None
    return seconds * NANOSECONDS + _nanoseconds(fraction_match[1] if fraction_match else "")


def parse_until(values: Sequence[str]) -> Seconds:
    """Return the earliest time of the filters ``until``; without one, later than anything.

    Raises `TimeUnreadable`.
    """
    times = [parse_time("--filter until", value) for value in values]
    return min((time / NANOSECONDS for time in times if time is not None), default=math.inf)


def parse_range(since: str, until: str) -> tuple[Seconds, Seconds]:
    """Return both times, 0 where there is none. With ``--until`` alone, all of before is meant, as in docker.

    Raises `TimeUnreadable`, `TimesReversed`.
    """
    begin, end = (
        None if time is None else max(EPOCH, min(time, int(LAST_TIME) * NANOSECONDS) / NANOSECONDS)
        for time in (parse_time("--since", since), parse_time("--until", until))
    )
    if begin is not None and end is not None and begin > end:
        raise TimesReversed(since, until)
    if begin is None and end is not None:
        begin = EPOCH
    return begin or 0, end or 0


def _nanoseconds(fraction: str) -> int:
    """Parse the digits of a fraction of a second."""
    return int(fraction[:9].ljust(9, "0"))
