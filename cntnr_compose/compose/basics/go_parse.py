"""Parse booleans and numbers from text, with the results and errors of Go's strconv and of docker compose."""

import math
import struct

GO_BOOLEANS = dict.fromkeys(("1", "t", "T", "true", "True", "TRUE"), True)
GO_BOOLEANS |= dict.fromkeys(("0", "f", "F", "false", "False", "FALSE"), False)
# In any case of letters: true and false, and what YAML 1.1 took for them.
YAML_TRUE, YAML_FALSE = ("true", "y", "yes", "on"), ("false", "n", "no", "off")
# What docker compose takes for true in its own variables; anything else is false.
SWITCHED_ON = frozenset({*YAML_TRUE, "1", "t"})
MIN_INT64, MAX_INT64 = -(2**63), 2**63 - 1
OUT_OF_RANGE = "value out of range"


class CannotCast(ValueError):
    """A text is not of the type that a key takes."""


class NotABoolean(CannotCast):
    """A text is neither true nor false."""

    def __init__(self, word: str) -> None:
        super().__init__(f"invalid boolean: {word}")


class NotANumber(CannotCast):
    """A text is not a number, or not one that the named function of strconv accepts."""

    def __init__(self, function: str, word: str, why: str = "") -> None:
        super().__init__(f'strconv.{function}: parsing "{word}": {why or "invalid syntax"}')


def parse_bool(word: str) -> bool:
    """Parse a boolean as strconv.ParseBool does.

    Raises `NotABoolean`.
    """
    if word not in GO_BOOLEANS:
        raise NotABoolean(word)
    return GO_BOOLEANS[word]


def parse_yaml_bool(word: str) -> bool:
    """Parse a boolean of a compose file, where the words of YAML 1.1 are accepted.

    Raises `NotABoolean`.
    """
    lower = word.lower()
    if lower in YAML_TRUE:
        return True
    if lower in YAML_FALSE:
        return False
    raise NotABoolean(word)


def parse_int(word: str, *, function: str = "Atoi", base: int = 10) -> int:
    """Parse an integer, without the blanks and underscores that Python accepts.

    Raises `NotANumber`.
    """
    digits = word[1:] if word[:1] in ("+", "-") else word
    allowed = "0123456789"[:base]
    if not digits or digits.strip(allowed):
        raise NotANumber(function, word)
    number = int(word, base)
    if not MIN_INT64 <= number <= MAX_INT64:
        raise NotANumber(function, word, OUT_OF_RANGE)
    return number


def parse_int64(word: str) -> int:
    """Parse an integer; errors name ParseInt.

    Raises `NotANumber`.
    """
    return parse_int(word, function="ParseInt")


def parse_float(word: str) -> float:
    """Parse a finite decimal number.

    Raises `NotANumber`.
    """
    try:
        number = float(word) if word.isascii() and word == word.strip() else math.nan
    except ValueError:
        raise NotANumber("ParseFloat", word) from None
    if not math.isfinite(number):
        raise NotANumber("ParseFloat", word, OUT_OF_RANGE)
    return number


def round_to_float32(number: float) -> float:
    """Round to 32 bits, and return the shortest decimal number that rounds to the same."""
    narrow: float = struct.unpack("f", struct.pack("f", number))[0]
    for digits in range(1, 10):
        short = float(f"{narrow:.{digits}g}")
        if struct.unpack("f", struct.pack("f", short))[0] == narrow:
            return short
    return narrow


def parse_float32(word: str) -> float:
    """Parse a decimal number of 32 bits.

    Raises `NotANumber`.
    """
    try:
        return round_to_float32(parse_float(word))
    except OverflowError:
        raise NotANumber("ParseFloat", word, OUT_OF_RANGE) from None
