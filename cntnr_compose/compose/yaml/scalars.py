"""Plain YAML scalars to values, as go-yaml reads them.

They are YAML 1.2 words (``on`` is a word, ``22:22`` a string) with Go's numbers (``010`` is eight).
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
LOWEST, HIGHEST = -(2**63), 2**64 - 1
LONGEST = 80  # digits of any number in that range, whatever its base
CORE = "tag:yaml.org,2002:"
TAG_TYPES: dict[str, Any] = {"bool": bool, "int": int, "float": (int, float), "null": type(None)}


class Timestamp(str):
    """A plain date or time: go-yaml has a type for it that no key of a compose file takes."""

    __slots__ = ()

    def isoformat(self) -> str:
        """Give it as dates do, by which those who word mistakes know it from a text."""
        return str(self)


class TagMismatch(ValueError):
    """A scalar is not what its tag says."""

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
    """Read a plain scalar."""
    if text in NAMED_VALUES:
        return NAMED_VALUES[text]
    first = text[0]
    if first not in NUMERIC:
        return text
    if first != "0" and len(text) < 19 and text.isascii() and text.isdecimal():
        return int(text)  # by far the most, and without a pattern
    digits = text.replace("_", "")
    if _integer_pattern().fullmatch(digits):
        return _parse_integer(digits)
    if _float_pattern().fullmatch(digits):
        number = float(digits)
        return text if number in (float("inf"), float("-inf")) else number
    if text[4:5] == "-" and (found := _timestamp_pattern().fullmatch(text)):
        return _parse_timestamp(text, found)
    return text


def _parse_timestamp(text: str, found: re.Match[str]) -> str:
    """Write a moment as RFC 3339 has it; what no calendar knows is a word."""
    from datetime import datetime

    numbers = [int(one or 0) for one in found.groups()[:6]]
    try:
        moment = datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001 - the zone is kept as text
    except ValueError:
        return text
    part = (found[7] or "").rstrip("0").rstrip(".")
    zone = found[8] or "Z"
    return Timestamp(f"{moment.isoformat()}{part}{'Z' if zone in ('+00:00', '-00:00') else zone}")


def _parse_integer(digits: str) -> int | float | None:
    """Read a whole number; None where it is so large that Go takes it for a word."""
    bare = digits.lstrip("+-")
    mark = bare[:2].lower()
    base = {"0b": 2, "0o": 8, "0x": 16}.get(mark, 8 if bare[0] == "0" else 10)
    if len(bare) <= LONGEST:
        number = int(bare[2:] if mark in ("0b", "0o", "0x") else bare, base)
        number = -number if digits[0] == "-" else number
        if LOWEST <= number <= HIGHEST:
            return number
    if mark in ("0b", "0o", "0x") or abs(float(digits)) == float("inf"):
        return None
    return float(digits)


def parse_tagged(tag: str, text: str) -> Any:
    """Read a scalar that carries a tag; tags of one's own leave the text as it is.

    Raises `TagMismatch`.
    """
    if not tag.startswith(CORE):
        return text
    kind = tag.removeprefix(CORE)
    if kind == "binary":
        return _decode_binary(text)
    if kind == "timestamp":
        moment = parse_plain(text)
        if not isinstance(moment, Timestamp):
            raise TagMismatch(text, kind)
        return moment
    wanted = TAG_TYPES.get(kind)
    if wanted is None:
        return text
    value = parse_plain(text)
    if not isinstance(value, wanted) or (kind != "bool" and isinstance(value, bool)):
        raise TagMismatch(text, kind)
    return float(value) if kind == "float" else value


def _decode_binary(text: str) -> str:
    import binascii

    try:
        plain_text = text.replace("\n", "")
        return binascii.a2b_base64(plain_text, strict_mode=True).decode(errors="replace")
    except ValueError:  # `binascii.Error`, or letters that are not ASCII
        raise TagMismatch(text, "binary") from None
