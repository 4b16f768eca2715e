"""Times as users write them behind ``--since`` and ``--until``."""

import re
import time

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds

UNIT_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
DURATION = re.compile(rf"(?:{DURATION_PART.pattern})+")
FRACTION = re.compile(r"(?<=:\d\d)[.,](\d+)")
NANOSECONDS = 1_000_000_000  # in nanoseconds
EPOCH_SECONDS = re.compile(r"\d+(?:\.\d+)?")


class TimeUnreadable(CntnrError):
    """A time is not of a form that we know."""

    hint = "it can be 42m, 1h30m, 2026-01-31T12:00:00Z, or seconds since 1970"

    def __init__(self, option: str, text: str) -> None:
        super().__init__(f'cannot read the time "{text}" of {option}')


def parse_time(option: str, text: str, now: Seconds | None = None) -> int | None:
    """Read a time, absolute or before ``now``; None where none is given.

    Gives nanoseconds since 1970, all of them: logs are stamped so. Raises `TimeUnreadable`.
    """
    if not text:
        return None
    if DURATION.fullmatch(text):
        before = sum(
            float(count) * UNIT_SECONDS[unit] for count, unit in DURATION_PART.findall(text)
        )
        return round(((time.time() if now is None else now) - before) * NANOSECONDS)
    if EPOCH_SECONDS.fullmatch(text):
        whole, _, fraction = text.partition(".")
        return int(whole) * NANOSECONDS + _nanoseconds(fraction)
    from datetime import datetime

    found = FRACTION.search(text)
    bare = FRACTION.sub("", text)
    try:
        seconds = int(datetime.fromisoformat(bare).timestamp())
    except ValueError:
        raise TimeUnreadable(option, text) from None
    return seconds * NANOSECONDS + _nanoseconds(found[1] if found else "")


def _nanoseconds(fraction: str) -> int:
    """Read the digits behind a second's point."""
    return int(fraction[:9].ljust(9, "0"))
