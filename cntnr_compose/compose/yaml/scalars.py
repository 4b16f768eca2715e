"""Parse plain YAML scalars as go-yaml does.

Words are those of YAML 1.2 (``on`` is a string, and so is ``22:22``), numbers Go's (``010`` is eight).
"""

import re
from functools import cache
from typing import Any

NAMED_VALUES: dict[str, Any] = dict.fromkeys(("", "~", "null", "Null", "NULL"), None)
NAMED_VALUES |= dict.fromkeys(("true", "True", "TRUE"), True)
NAMED_VALUES |= dict.fromkeys(("false", "False", "FALSE"), False)
NAMED_VALUES |= dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf"))
NAMED_VALUES |= dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf"))
NAMED_VALUES |= dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan"))
NUMERIC = frozenset("0123456789+-.")
MIN_INTEGER, MAX_INTEGER = -(2**63), 2**64 - 1
BASES = {"0b": 2, "0o": 8, "0x": 16}
MAX_DIGITS = 80  # of a number in that range, in any base
CORE_TAGS = "tag:yaml.org,2002:"
TAG_TYPES: dict[str, Any] = {"bool": bool, "int": int, "float": (int, float), "null": type(None)}


class Timestamp(str):
    """A plain date or time: of a type of go-yaml that no key of a compose file takes."""

    __slots__ = ()

    def isoformat(self) -> str:
        """Return the text; by this method the wording of schema errors knows dates from strings."""
        return str(self)


class TagMismatch(ValueError):
    """A scalar is not of the type of its tag."""

    def __init__(self, text: str, kind: str) -> None:
        super().__init__(f"cannot decode !!str `{text}` as a !!{kind}")


@cache
def _integer_pattern() -> re.Pattern[str]:
    return re.compile(r"[-+]?(?:0[bB][01]+|0[oO][0-7]+|0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")


@cache
def _float_pattern() -> re.Pattern[str]:
    return re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


@cache
def _timestamp_pattern() -> re.Pattern[str]:
    return re.compile(
        r"(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt](?=.*(?:Z|[-+]\d\d:\d\d)$)| (?!.*[-+Z]))"
        r"(\d\d?):(\d\d?):(\d\d?)(\.\d{1,9})?(Z|[-+]\d\d:\d\d)?)?",
        re.ASCII,
    )


def parse_plain(text: str) -> Any:
    """Parse a plain scalar."""
    if text in NAMED_VALUES:
        return NAMED_VALUES[text]
    first = text[0]
    if first not in NUMERIC:
        return text
    if first != "0" and len(text) < 19 and text.isascii() and text.isdecimal():
        return int(text)  # most numbers, without a regular expression
    digits = text.replace("_", "")
    if _integer_pattern().fullmatch(digits):
        integer = _parse_integer(digits)
        return text if integer is None else integer
    if _float_pattern().fullmatch(digits):
        number = float(digits)
        return text if number in (float("inf"), float("-inf")) else number
    if text[4:5] == "-" and (match := _timestamp_pattern().fullmatch(text)):
        return _parse_timestamp(text, match)
    return text


def _parse_timestamp(text: str, match: re.Match[str]) -> str:
    """Return a time in the form of RFC 3339; an impossible date is a string."""
    from datetime import datetime

    numbers = [int(part or 0) for part in match.groups()[:6]]
    try:
        time = datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001 - the zone is kept as text
    except ValueError:
        return text
    fraction = (match[7] or "").rstrip("0").rstrip(".")
    zone = match[8] or "Z"
    return Timestamp(f"{time.isoformat()}{fraction}{'Z' if zone in ('+00:00', '-00:00') else zone}")


def _parse_integer(digits: str) -> int | float | None:
    """Parse an integer; return None if it is so large that Go takes it for a string."""
    bare = digits.lstrip("+-")
    prefix = bare[:2].lower()
    base = BASES.get(prefix, 8 if bare[0] == "0" else 10)
    if len(bare) <= MAX_DIGITS:
        number = int(bare[2:] if prefix in BASES else bare, base)
        number = -number if digits[0] == "-" else number
        if MIN_INTEGER <= number <= MAX_INTEGER:
            return number
    if prefix in BASES or abs(float(digits)) == float("inf"):
        return None
    return float(digits)


def parse_tagged(tag: str, text: str) -> Any:
    """Parse a scalar with a tag; tags that are not of YAML leave the text as it is.

    Raises `TagMismatch`.
    """
    if not tag.startswith(CORE_TAGS):
        return text
    kind = tag.removeprefix(CORE_TAGS)
    if kind == "binary":
        return _decode_binary(text)
    if kind == "timestamp":
        time = parse_plain(text)
        if not isinstance(time, Timestamp):
            raise TagMismatch(text, kind)
        return time
    expected = TAG_TYPES.get(kind)
    if expected is None:
        return text
    value = parse_plain(text)
    if not isinstance(value, expected) or (kind != "bool" and isinstance(value, bool)):
        raise TagMismatch(text, kind)
    return float(value) if kind == "float" else value


def _decode_binary(text: str) -> str:
    import binascii

    try:
        digits = text.replace("\n", "")
        return binascii.a2b_base64(digits, strict_mode=True).decode(errors="replace")
    except ValueError:  # `binascii.Error`, or characters that are not ASCII
        raise TagMismatch(text, "binary") from None
