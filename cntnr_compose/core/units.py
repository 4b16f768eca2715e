"""Parse durations and sizes; format durations as Go does."""

import re
from functools import cache

from cntnr_compose.core.frozen import Bytes, Seconds

NANOSECONDS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6,
    "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 24 * 3600 * 10**9, "w": 7 * 24 * 3600 * 10**9,
}  # fmt: skip
LONGEST = 2**63 - 1
FACTORS = {unit: 1024**power for power, unit in enumerate("kmgtp", 1)}
MAX_DIGITS = 100  # Python refuses to read thousands of them
HIGHEST, OVERFLOW = 2**63 - 1, -(2**63)


class InvalidDuration(ValueError):
    """A text is not a duration."""

    def __init__(self, text: str) -> None:
        super().__init__(f'time: invalid duration "{text}"')


class InvalidSize(ValueError):
    """A text is not a size."""

    def __init__(self, text: str) -> None:
        super().__init__(f"invalid size: '{text}'")


@cache
def _duration_pattern() -> re.Pattern[str]:
    return re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w)", re.ASCII)


@cache
def _size_pattern() -> re.Pattern[str]:
    digits = r"\d+(?:_\d+)*"  # as Go's own parser, which knows 1_000
    number = rf"\+?(?:{digits}\.?(?:{digits})?|\.{digits})(?:[eE][-+]?\d+)?"
    return re.compile(rf"({number}) ?(?:b|([kmgtp])(?:i?b)?)?", re.ASCII | re.IGNORECASE)


def parse_nanoseconds(text: str) -> int:
    """Parse a duration such as ``1m30s`` or ``1.5h``, in nanoseconds.

    Raises `InvalidDuration`.
    """
    sign, rest = (-1, text[1:]) if text[:1] == "-" else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    pattern, total, at = _duration_pattern(), 0, 0
    while rest and at < len(rest):
        match = pattern.match(rest, at)
        if match is None or len(match[1]) > MAX_DIGITS:
            raise InvalidDuration(text)
        whole, _, part = match[1].partition(".")
        unit = NANOSECONDS[match[2]]
        total += int(whole or 0) * unit + (int(part) * unit // 10 ** len(part) if part else 0)
        at = match.end()
    if not rest or total > LONGEST:
        raise InvalidDuration(text)
    return sign * total


def parse_seconds(text: str) -> Seconds:
    """Parse a duration, in seconds.

    Raises `InvalidDuration`.
    """
    return parse_nanoseconds(text) / 10**9


def format_duration(nanos: int) -> str:
    """Format a duration as Go does: ``1m30s``, ``1.5s``, ``100ms``, ``0s``."""
    if nanos == 0:
        return "0s"
    sign, left = ("-", -nanos) if nanos < 0 else ("", nanos)
    if left < 10**9:
        unit, size = next(
            (u, s) for u, s in (("ns", 1), ("µs", 10**3), ("ms", 10**6)) if left < s * 1000
        )
        return f"{sign}{_decimal(left, size)}{unit}"
    minutes, rest = divmod(left, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, 10**9)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{sign}{hours}h{text}" if hours else sign + text


def _decimal(value: int, unit: int) -> str:
    whole, part = divmod(value, unit)
    digits = str(part).rjust(len(str(unit)) - 1, "0").rstrip("0") if part else ""
    return f"{whole}.{digits}" if digits else str(whole)


def parse_size(text: str) -> Bytes:
    """Parse a size such as ``64m`` or ``1.5 GB``; units are powers of 1024.

    Raises `InvalidSize`.
    """
    match = _size_pattern().fullmatch(text)
    if match is None:
        raise InvalidSize(text)
    number = float(match[1]) * (FACTORS[match[2].lower()] if match[2] else 1)
    return int(number) if number <= HIGHEST else OVERFLOW  # what Go makes of it on this machine
