"""Write trees as YAML text, in the style of docker compose."""

from collections.abc import Iterator
from typing import Any

from cntnr_compose.compose.basics.go_format import format_value
from cntnr_compose.compose.basics.go_parse import YAML_FALSE, YAML_TRUE
from cntnr_compose.compose.yaml.scalars import Timestamp, parse_plain

# Quoted, for readers of YAML 1.1.
YAML_1_1_BOOLEANS = frozenset(
    form for word in (*YAML_TRUE, *YAML_FALSE) for form in (word, word.capitalize(), word.upper())
)
INDICATORS = frozenset("#,[]{}&*!|>'\"%@`")
ESCAPES = {
    "\0": "\\0", "\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f",
    "\r": "\\r", "\x1b": "\\e", '"': '\\"', "\\": "\\\\", "\x85": "\\N", "\xa0": "\\_",
    "\u2028": "\\L", "\u2029": "\\P",
}  # fmt: skip
INDENT = "  "
COMMENT_MARK = "\0"  # not printable, so no value has it
MAX_COLUMN = 72  # of comments; they begin earlier if all lines are shorter


class CommentedValue:
    """A value, and the comment behind it."""

    __slots__ = ("comment", "value")

    def __init__(self, value: Any, comment: str) -> None:
        self.value = value
        self.comment = comment


def to_yaml(tree: Any) -> str:
    """Return a tree as YAML in block style."""
    return "".join(_block(tree, "")).removeprefix("\n") + "\n"


def align_comments(text: str) -> str:
    """Turn the marked comments of a text into YAML comments in one column."""
    lines = [line.partition(COMMENT_MARK) for line in text.splitlines()]
    widths = [len(line) for line, mark, _ in lines if mark and len(line) <= MAX_COLUMN]
    column = max(widths, default=0)
    aligned = (f"{line:<{column}}  # {comment}" if mark else line for line, mark, comment in lines)
    return "".join(f"{line}\n" for line in aligned)


def _block(value: Any, indent: str) -> Iterator[str]:
    """Yield what follows ``key:`` or ``-``, including the space or line end before it."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield f"\n{indent}{format_scalar(key, key=True)}:"
            yield from _block(item, indent + INDENT)
    elif isinstance(value, list) and value:
        for item in value:
            yield f"\n{indent}-"
            if isinstance(item, dict | list) and item:
                yield from _compact(item, indent + INDENT)
            else:
                yield from _block(item, indent + INDENT)
    elif isinstance(value, CommentedValue):
        first, *rest = _block(value.value, indent)
        yield f"{first}{COMMENT_MARK}{value.comment}"
        yield from rest
    elif isinstance(value, dict):
        yield " {}"
    elif isinstance(value, list):
        yield " []"
    elif isinstance(value, str) and "\n" in value and _can_be_literal(value):
        yield from _literal(value, indent)
    else:
        yield f" {format_scalar(value)}"


def _compact(value: Any, indent: str) -> Iterator[str]:
    """Yield a collection in a list, which begins on the line of the dash."""
    block = "".join(_block(value, indent))
    yield " " + block.removeprefix("\n" + indent)


def format_scalar(value: Any, *, key: bool = False) -> str:
    """Return a scalar on one line."""
    if value is None:
        return "null"
    if isinstance(value, Timestamp):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if not isinstance(value, str):
        return format_value(value)
    if "\n" in value and not (key and _is_plain(value)):
        return _double(value)
    if not isinstance(parse_plain(value), str) or isinstance(parse_plain(value), Timestamp):
        return _double(value)
    if value in YAML_1_1_BOOLEANS or _is_base_60(value):
        return _double(value)
    if _is_plain(value):
        return value
    return _single(value) if _can_be_single(value) else _double(value)


def _float(value: float) -> str:
    text = format_value(value)
    return {"NaN": ".nan", "+Inf": ".inf", "-Inf": "-.inf"}.get(text, text)


def _is_base_60(value: str) -> bool:
    """Return whether YAML 1.1 takes a word for a number of base 60, such as ``22:22``."""
    parts = value.lstrip("+-").split(":")
    head = parts[0]
    if (
        not value.isascii()
        or len(parts) < 2
        or not head[:1].isdecimal()
        or not head.replace("_", "").isdecimal()
    ):
        return False
    *middle, last = parts[1:]
    whole, _, fraction = last.partition(".")
    digits = [*middle, whole]
    return all(one.isdecimal() and int(one) < 60 and len(one) <= 2 for one in digits) and (
        not fraction or fraction.replace("_", "").isdecimal()
    )


def _is_printable(letter: str) -> bool:
    code = ord(letter)
    return (
        code == 0x0A
        or 0x20 <= code <= 0x7E
        or code == 0x85
        or 0xA0 <= code <= 0xD7FF
        or (0xE000 <= code <= 0xFFFD and code != 0xFEFF)
        or 0x10000 <= code <= 0x10FFFF
    )


def _are_printable(letters: str) -> bool:
    # isprintable is stricter, and quick.
    return letters.isprintable() or all(map(_is_printable, letters))


def _is_plain(value: str) -> bool:
    """Return whether a word needs no quotes in block style."""
    if value[0] in INDICATORS or value[0] == " " or value[-1] == " " or "\n" in value:
        return False
    if value.startswith(("---", "...")) or " #" in value or ": " in value or value[-1] == ":":
        return False
    if value[0] in "?-" and (len(value) == 1 or value[1] in " \t"):
        return False
    return _are_printable(value)


def _can_be_single(value: str) -> bool:
    return "\n" not in value and _are_printable(value)


def _can_be_literal(value: str) -> bool:
    return not any(line.endswith(" ") for line in value.split("\n")) and all(
        _is_printable(letter) or letter == "\t" for letter in value
    )


def _single(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _double(value: str) -> str:
    return '"' + "".join(map(_escape_letter, value)) + '"'


def _escape_letter(letter: str) -> str:
    if letter in ESCAPES:
        return ESCAPES[letter]
    if _is_printable(letter):
        return letter
    code = ord(letter)
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _literal(value: str, indent: str) -> Iterator[str]:
    """Yield a text of several lines, after ``|``."""
    indentation = "2" if value[0] in " \n" else ""
    chomping = (
        "-" if not value.endswith("\n") else "+" if value.endswith("\n\n") or value == "\n" else ""
    )
    yield f" |{indentation}{chomping}"
    body = value.removesuffix("\n") if not chomping else value
    if chomping == "+":
        body = value[:-1]
    for line in body.split("\n"):
        yield f"\n{indent}{line}" if line else "\n"
