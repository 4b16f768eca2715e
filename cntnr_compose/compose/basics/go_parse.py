"""Words to booleans and numbers, as docker compose reads them where a key wants them."""

import math
import struct

TRUE, FALSE = ("true", "y", "yes", "on"), ("false", "n", "no", "off")
MIN_INT64, MAX_INT64 = -(2**63), 2**63 - 1


class CannotCast(ValueError):
    """A word is not what a key wants."""


class NotABoolean(CannotCast):
    """A word is neither true nor false."""

    def __init__(self, word: str) -> None:
        super().__init__(f"invalid boolean: {word}")


class NotANumber(CannotCast):
    """A word is no number, or none that Go's function of this name takes."""

    def __init__(self, function: str, word: str, why: str = "") -> None:
        super().__init__(f'strconv.{function}: parsing "{word}": {why or "invalid syntax"}')


OUT_OF_RANGE = "value out of range"


def parse_yaml_bool(word: str) -> bool:
    """Read a boolean. Raises `CannotCast`."""
    lower = word.lower()
    if lower in TRUE:
        return True
    if lower in FALSE:
        return False
    raise NotABoolean(word)


def parse_int(word: str, *, function: str = "Atoi", base: int = 10) -> int:
    """Read a whole number, in Go's strict form. Raises `CannotCast`."""
    digits = word[1:] if word[:1] in ("+", "-") else word
    allowed = "0123456789"[:base]
    if not digits or digits.strip(allowed):
        raise NotANumber(function, word)
    number = int(word, base)
    if not MIN_INT64 <= number <= MAX_INT64:
        raise NotANumber(function, word, OUT_OF_RANGE)
    return number


def parse_int64(word: str) -> int:
    """Read a whole number of 64 bits. Raises `CannotCast`."""
    return parse_int(word, function="ParseInt")


def parse_float(word: str) -> float:
    """Read a decimal number. Raises `CannotCast`."""
    try:
        number = float(word) if word.isascii() and word == word.strip() else math.nan
    except ValueError:
        raise NotANumber("ParseFloat", word) from None
    if not math.isfinite(number):
        raise NotANumber("ParseFloat", word, OUT_OF_RANGE)
    return number


def round_to_float32(number: float) -> float:
    """Round to what a 32-bit float holds, and give the shortest decimal number that means it."""
    narrow: float = struct.unpack("f", struct.pack("f", number))[0]
    for digits in range(1, 10):
        short = float(f"{narrow:.{digits}g}")
        if struct.unpack("f", struct.pack("f", short))[0] == narrow:
            return short
    return narrow


def parse_float32(word: str) -> float:
    """Read a decimal number of 32 bits. Raises `CannotCast`."""
    try:
        return round_to_float32(parse_float(word))
    except OverflowError:
        raise NotANumber("ParseFloat", word, OUT_OF_RANGE) from None
