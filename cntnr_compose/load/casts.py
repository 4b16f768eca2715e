"""Words to booleans and numbers, as docker compose reads them where a key wants them."""

import math
import struct

TRUE, FALSE = ("true", "y", "yes", "on"), ("false", "n", "no", "off")
LOWEST, HIGHEST = -(2**63), 2**63 - 1


class CannotCast(ValueError):
    """A word is not what a key wants."""


def boolean(word: str) -> bool:
    """Read a boolean. Raises `CannotCast`."""
    lower = word.lower()
    if lower in TRUE:
        return True
    if lower in FALSE:
        return False
    raise CannotCast(f"invalid boolean: {word}")


def integer(word: str, *, name: str = "Atoi", base: int = 10) -> int:
    """Read a whole number, in Go's strict form. Raises `CannotCast`."""
    digits = word[1:] if word[:1] in ("+", "-") else word
    allowed = "0123456789"[:base]
    if not digits or digits.strip(allowed):
        raise CannotCast(f'strconv.{name}: parsing "{word}": invalid syntax')
    number = int(word, base)
    if not LOWEST <= number <= HIGHEST:
        raise CannotCast(f'strconv.{name}: parsing "{word}": value out of range')
    return number


def integer64(word: str) -> int:
    """Read a whole number of 64 bits. Raises `CannotCast`."""
    return integer(word, name="ParseInt")


def decimal(word: str) -> float:
    """Read a decimal number. Raises `CannotCast`."""
    try:
        number = float(word) if word.isascii() and word == word.strip() else math.nan
    except ValueError:
        raise CannotCast(f'strconv.ParseFloat: parsing "{word}": invalid syntax') from None
    if not math.isfinite(number):
        raise CannotCast(f'strconv.ParseFloat: parsing "{word}": value out of range')
    return number


def single(number: float) -> float:
    """Round to what a 32-bit float holds, and give the shortest decimal number that means it."""
    narrow: float = struct.unpack("f", struct.pack("f", number))[0]
    for digits in range(1, 10):
        short = float(f"{number:.{digits}g}")
        if struct.unpack("f", struct.pack("f", short))[0] == narrow:
            return short
    return narrow


def decimal32(word: str) -> float:
    """Read a decimal number of 32 bits. Raises `CannotCast`."""
    try:
        return single(decimal(word))
    except OverflowError:
        raise CannotCast(f'strconv.ParseFloat: parsing "{word}": value out of range') from None
