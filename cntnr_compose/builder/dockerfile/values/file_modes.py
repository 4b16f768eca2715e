"""Read modes of files as chmod does: ``0755``, or ``u=rwX,go=rX``; and apply them."""

import re
import stat
from collections.abc import Callable

MAX_MODE = 0o7777
CLAUSE = re.compile(r"(?P<who>[ugoa]*)(?P<changes>(?:[-+=](?:[ugo]|[rwxXst]*))+)")
CHANGE = re.compile(r"([-+=])([ugo]|[rwxXst]*)")
BITS = {"r": 0o4, "w": 0o2, "x": 0o1}
SHIFTS = {"u": 6, "g": 3, "o": 0}

ModeChange = Callable[[int], int]  # the mode before, with the file's type: the mode after


class FileModeInvalid(ValueError):
    """A mode is neither an octal number nor a symbolic one."""


def parse_file_mode(text: str) -> ModeChange:
    """Read a mode; return what it makes of another. Raises `FileModeInvalid`."""
    if re.fullmatch(r"[0-7]+", text) and int(text, 8) <= MAX_MODE:
        number = int(text, 8)
        return lambda _mode: number
    if text[:1].isdigit():
        why = (
            f"invalid chmod parameter: '{text}'. it should be octal string and between 0 and 07777"
        )
        raise FileModeInvalid(why)
    clauses = [CLAUSE.fullmatch(clause) for clause in text.split(",")]
    if not all(clauses):
        why = (
            f"invalid chmod parameter: '{text}'. it should be an octal number, or like u=rwX,go=rX"
        )
        raise FileModeInvalid(why)
    parsed = [
        (match["who"], CHANGE.findall(match["changes"])) for match in clauses if match is not None
    ]

    def change(mode: int) -> int:
        is_folder, mode = stat.S_ISDIR(mode), stat.S_IMODE(mode)
        for who, changes in parsed:
            for sign, words in changes:
                mode = _apply(mode, who, sign, words, is_folder=is_folder)
        return mode

    return change


def _apply(mode: int, who: str, sign: str, words: str, *, is_folder: bool) -> int:
    """Apply one change, such as ``+X``, to the classes in ``who``; none are all."""
    classes = "ugo" if not who or "a" in who else who
    bits = _permission_bits(mode, words, is_folder=is_folder)
    value, mask = 0, 0
    for name in classes:
        value |= bits << SHIFTS[name]
        mask |= 0o7 << SHIFTS[name]
    special = _special_bits(classes, words)
    if sign == "+":
        return mode | value | special
    if sign == "-":
        return mode & ~(value | special)
    return (mode & ~(mask | _special_bits(classes, "st"))) | value | special


def _permission_bits(mode: int, words: str, *, is_folder: bool) -> int:
    """Return the bits that the letters stand for, of one class."""
    if words in SHIFTS and words:
        return mode >> SHIFTS[words] & 0o7
    bits = 0
    for letter in words:
        bits |= BITS.get(letter, 0)
        if letter == "X" and (is_folder or mode & 0o111):
            bits |= BITS["x"]
    return bits


def _special_bits(classes: str, words: str) -> int:
    """Return set-user-id, set-group-id and the sticky bit, as far as the classes have them."""
    if words in SHIFTS:
        return 0
    bits = 0
    if "s" in words:
        bits |= (stat.S_ISUID if "u" in classes else 0) | (stat.S_ISGID if "g" in classes else 0)
    if "t" in words and "o" in classes:
        bits |= stat.S_ISVTX
    return bits
