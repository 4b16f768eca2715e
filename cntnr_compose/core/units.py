"""Parse durations, sizes and ranges of ports; format durations as Go does.

Imports nothing heavy: `ps` shows ports before it has imported a library.
"""

from cntnr_compose.core.frozen import Bytes, Seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterable

NANOSECONDS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6,
    "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 24 * 3600 * 10**9, "w": 7 * 24 * 3600 * 10**9,
}  # fmt: skip
LONGEST = 2**63 - 1
MAX_PORT = 65535
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


def _duration_pattern() -> "re.Pattern[str]":
    import re  # which keeps what it has compiled

    return re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w)", re.ASCII)


def _size_pattern() -> "re.Pattern[str]":
    import re

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


def parse_port_range(text: str) -> tuple[int, int] | None:
    """Parse ``PORT`` or ``FIRST-LAST``; as docker, ignore more parts. Return None if it is neither."""
    first, *others = text.split("-")
    last = others[0] if others else first
    are_numbers = all(
        end.isascii() and end.isdecimal() and len(end) <= MAX_DIGITS for end in (first, last)
    )
    if not are_numbers or max(int(first), int(last)) > MAX_PORT:
        return None
    return (int(first), int(last)) if int(first) <= int(last) else None


def parse_exposed_ports(texts: "Iterable[str]") -> list[tuple[int, str]]:
    """Parse ``PORT[-PORT][/PROTOCOL]``; return each port with its protocol, once."""
    ports = []
    for text in texts:
        number, _, protocol = text.partition("/")
        first, last = parse_port_range(number) or (0, -1)
        ports += [(port, protocol or "tcp") for port in range(first, last + 1)]
    return list(dict.fromkeys(ports))
