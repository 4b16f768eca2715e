"""Words to booleans and numbers, as docker compose reads them where a key wants them."""

import math
import struct

TRUE, FALSE = ("true", "y", "yes", "on"), ("false", "n", "no", "off")
LOWEST, HIGHEST = -(2**63), 2**63 - 1


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


TOO_LARGE = "value out of range"


def boolean(word: str) -> bool:
    """Read a boolean. Raises `CannotCast`."""
    lower = word.lower()
    if lower in TRUE:
        return True
    if lower in FALSE:
        return False
    raise NotABoolean(word)


def integer(word: str, *, name: str = "Atoi", base: int = 10) -> int:
    """Read a whole number, in Go's strict form. Raises `CannotCast`."""
    digits = word[1:] if word[:1] in ("+", "-") else word
    allowed = "0123456789"[:base]
    if not digits or digits.strip(allowed):
        raise NotANumber(name, word)
    number = int(word, base)
    if not LOWEST <= number <= HIGHEST:
        raise NotANumber(name, word, TOO_LARGE)
    return number


def integer64(word: str) -> int:
    """Read a whole number of 64 bits. Raises `CannotCast`."""
    return integer(word, name="ParseInt")


def decimal(word: str) -> float:
    """Read a decimal number. Raises `CannotCast`."""
    try:
        number = float(word) if word.isascii() and word == word.strip() else math.nan
    except ValueError:
        raise NotANumber("ParseFloat", word) from None
    if not math.isfinite(number):
        raise NotANumber("ParseFloat", word, TOO_LARGE)
    return number


def single(number: float) -> float:
    """Round to what a 32-bit float holds, and give the shortest decimal number that means it."""
    narrow: float = struct.unpack("f", struct.pack("f", number))[0]
    for digits in range(1, 10):
        short = float(f"{narrow:.{digits}g}")
        if struct.unpack("f", struct.pack("f", short))[0] == narrow:
            return short
    return narrow


def decimal32(word: str) -> float:
    """Read a decimal number of 32 bits. Raises `CannotCast`."""
    try:
        return single(decimal(word))
    except OverflowError:
        raise NotANumber("ParseFloat", word, TOO_LARGE) from None
