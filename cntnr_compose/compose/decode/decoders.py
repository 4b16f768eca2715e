"""Decoders of single values: what a key accepts, and how docker compose prints it.

A decoder takes a value and its path and returns the canonical value, or `OMIT` where docker compose prints
nothing. It fails with a diagnostic where the value does not fit.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from cntnr_compose.compose.basics import go_parse
from cntnr_compose.compose.basics.diagnostics import Path
from cntnr_compose.compose.basics.go_format import format_value
from cntnr_compose.compose.decode.errors import (
    AddressMissing,
    BadHostName,
    Mistyped,
    Negative,
    TrailingSpace,
    Unconvertible,
    UnexpectedType,
    locate_errors,
)
from cntnr_compose.core import units
from cntnr_compose.core.frozen import Tree

Decoder: TypeAlias = Callable[[Any, Path], Any]

OMIT: Any = object()
EXTENSIONS_KEY = "#extensions"  # where docker compose collects keys with x- of a mapping of strings
INFINITE = (float("inf"), float("-inf"))


def scalar(value: Any, _path: Path) -> Any:
    """Decode a string; numbers and booleans become strings."""
    if isinstance(value, dict | list):
        raise Mistyped(value, "a string")
    return OMIT if value in (None, "") and value is not False else format_value(value)


@locate_errors
def string(value: Any, path: Path) -> Any:
    """Decode a string; whole numbers and booleans become strings."""
    if isinstance(value, float):
        raise Unconvertible(value, "string")
    return scalar(value, path)


def _boolean(value: Any) -> bool:
    if isinstance(value, str):
        return go_parse.parse_yaml_bool(value)
    if not isinstance(value, bool):
        raise Mistyped(value, "a boolean")
    return value


@locate_errors
def flag(value: Any, _path: Path) -> Any:
    """Decode a boolean that is omitted if false."""
    return OMIT if value is None or not _boolean(value) else True


@locate_errors
def tristate(value: Any, _path: Path) -> Any:
    """Decode a boolean that is kept if false."""
    return OMIT if value is None else _boolean(value)


def _whole(value: Any) -> int:
    if isinstance(value, str):
        return go_parse.parse_int64(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value in INFINITE:
        raise Mistyped(value, "a number")
    return int(value)


def _unsigned(value: float, bits: int) -> int:
    if value < 0:
        raise Negative(value, f"uint{bits}")
    cut: int = int(value) % 2**bits
    return cut


@locate_errors
def natural(value: Any, _path: Path) -> Any:
    """Decode a whole number of at least 0, kept if 0."""
    return OMIT if value is None else _unsigned(_whole(value), 64)


@locate_errors
def nonzero_integer(value: Any, _path: Path) -> Any:
    """Decode a whole number that is omitted if 0."""
    return OMIT if value is None else _whole(value) or OMIT


@locate_errors
def integer(value: Any, _path: Path) -> Any:
    """Decode a whole number that is kept if 0."""
    return OMIT if value is None else _whole(value)


def unsigned(bits: int) -> Decoder:
    """Make the decoder of an unsigned number, truncated to its bits; strings are no numbers here."""

    @locate_errors
    def check(value: Any, _path: Path) -> Any:
        if value is None:
            return OMIT
        if isinstance(value, bool | str) or value in INFINITE:
            raise Unconvertible(value, f"uint{bits}")
        return _unsigned(value, bits) or OMIT

    return check


@locate_errors
def nonzero_float(value: Any, _path: Path) -> Any:
    """Decode a number as a 32-bit float that is omitted if 0."""
    if value is None:
        return OMIT
    if isinstance(value, str):
        number = go_parse.parse_float32(value)
    elif isinstance(value, bool) or not isinstance(value, int | float) or value in INFINITE:
        raise Mistyped(value, "a number")
    else:
        number = go_parse.round_to_float32(float(value))
    return (int(number) if number.is_integer() else number) or OMIT


@locate_errors
def byte_size(value: Any, _path: Path) -> Any:
    """Decode a number of bytes or a size such as ``64m`` to a string of digits."""
    if value is None or isinstance(value, float):
        return OMIT  # docker compose ignores a number with a fraction
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Mistyped(value, "a size")
    number = units.parse_size(value) if isinstance(value, str) else value
    return str(number) if number else OMIT


@locate_errors
def duration(value: Any, _path: Path) -> Any:
    """Decode a duration."""
    if value is None:
        return OMIT
    return units.format_duration(units.parse_nanoseconds(format_value(value)))


def nonzero_duration(value: Any, path: Path) -> Any:
    """Decode a duration that is omitted if 0."""
    text = duration(value, path)
    return OMIT if text == units.format_duration(0) else text


@locate_errors
def file_mode(value: Any, _path: Path) -> Any:
    """Decode the mode of a file to a string of octal digits."""
    if value is None:
        return OMIT
    if isinstance(value, float):
        raise UnexpectedType(value, "mode")
    is_text = isinstance(value, str)
    mode = go_parse.parse_int(value, function="ParseInt", base=8) if is_text else int(value)
    return f"0{mode:o}"


@locate_errors
def command(value: Any, path: Path) -> Any:
    """Decode a command: a list of words, or a string that is split as a shell would."""
    if value is None:
        return OMIT
    if not isinstance(value, str):
        return strings_or_empty(value, path)
    from cntnr_compose.compose.decode.shell_words import split_command

    return split_command(value)


@locate_errors
def healthcheck_test(value: Any, path: Path) -> Any:
    """Decode the test of a health check; a string is run by a shell."""
    if isinstance(value, str):
        return ["CMD-SHELL", value]
    return strings(value, path)


def strings_or_empty(value: Any, path: Path) -> Any:
    """Decode a list of strings, or a single string; an empty list is kept."""
    if value is None:
        return OMIT
    items = value if isinstance(value, list) else [value]
    words = [string(item, (*path, index)) for index, item in enumerate(items)]
    return ["" if word is OMIT else word for word in words]


def _word(value: Any, path: Path) -> str:
    word = scalar(value, path)
    return "" if word is OMIT else word


def strings(value: Any, path: Path) -> Any:
    """Decode a list of strings, or a single string; an empty list is omitted."""
    return strings_or_empty(value, path) or OMIT


def scalars(value: Any, path: Path) -> Any:
    """Decode a list of scalars, or a single scalar, to a list of strings."""
    items = value if isinstance(value, list) else [value]
    return [_word(item, path) for item in items] or OMIT


def collect_extensions(pairs: Tree) -> Tree:
    """Collect keys with x- in one, as docker compose does where users choose the names."""
    extensions = {key: value for key, value in pairs.items() if key.startswith("x-")}
    if not extensions:
        return pairs
    others = {key: value for key, value in pairs.items() if key not in extensions}
    return others | {EXTENSIONS_KEY: format_value(extensions)}


def _pairs(value: Any, path: Path) -> dict[str, Any]:
    if isinstance(value, dict):
        return collect_extensions(value)
    if not isinstance(value, list):
        raise Mistyped(value, "a mapping")
    pairs: dict[str, Any] = {}
    for item in value:
        key, equals, text = _word(item, path).partition("=")
        pairs[key] = text if equals else None
    return pairs


@locate_errors
def string_mapping(value: Any, path: Path) -> Any:
    """Decode a mapping or a list of ``KEY=VALUE``; a key without a value gets an empty string."""
    if value is None:
        return OMIT
    pairs = _pairs(value, path)
    return {key: _word(pairs[key], (*path, key)) for key in sorted(pairs)} or OMIT


@locate_errors
def strict_string_mapping(value: Any, path: Path) -> Any:
    """Decode a mapping of strings; a list is refused."""
    if value is None:
        return OMIT
    if not isinstance(value, dict):
        raise Mistyped(value, "a mapping")
    if EXTENSIONS_KEY in collect_extensions(value):
        raise Unconvertible(value, "string")
    texts = {key: string(value[key], (*path, key)) for key in sorted(value)}
    return {key: "" if text is OMIT else text for key, text in texts.items()} or OMIT


@locate_errors
def environment(value: Any, path: Path) -> Any:
    """Decode variables, as a mapping or a list; one without a value keeps none."""
    if value is None:
        return OMIT
    pairs = _pairs(value, path)
    for key in pairs if isinstance(value, list) else ():
        if key and chr(key.encode()[-1]).isspace():  # docker compose looks at a byte
            raise TrailingSpace(key)
    variables = {
        key: None if pairs[key] is None else _word(pairs[key], (*path, key))
        for key in sorted(pairs)
    }
    return variables or OMIT


@locate_errors
def extra_hosts(value: Any, path: Path) -> Any:
    """Decode host names and addresses to a sorted list of ``NAME=ADDRESS``."""
    if value is None:
        return OMIT
    if not isinstance(value, dict):
        return sorted(_host_entry(_word(item, path)) for item in value) or OMIT
    if EXTENSIONS_KEY in collect_extensions(value):
        raise UnexpectedType(value, "extra_hosts entry")
    entries: list[str] = []
    for name, addresses in value.items():
        items = addresses if isinstance(addresses, list) else [addresses]
        entries.extend(f"{name}={_address(_word(item, path))}" for item in items)
    return sorted(entries) if value else OMIT


def _host_entry(line: str) -> str:
    name, sign, address = line.partition("=")
    if not sign:
        name, sign, address = line.partition(":")
    if not sign:
        raise AddressMissing(line)
    if not name or ":" in name:
        raise BadHostName(name)
    return f"{name}={_address(address)}"


def _address(word: str) -> str:
    """Remove the brackets of an IPv6 address."""
    return word[1:-1] if word.startswith("[") and word.endswith("]") else word
