"""Kinds of values: what a key accepts, and how docker compose prints it.

A kind is a function of a value and its path that gives the canonical value, or `OMIT` where docker
compose prints nothing. It raises `ValueError` for what does not fit.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from cntnr_compose.compose.basics import go_parse
from cntnr_compose.compose.basics.diagnostics import Path, fail
from cntnr_compose.compose.basics.go_format import format_value
from cntnr_compose.compose.decode import shell_words
from cntnr_compose.compose.decode.errors import (
    AddressMissing,
    BadHostName,
    Mistyped,
    Negative,
    TrailingSpace,
    Unconvertible,
    UnexpectedType,
)
from cntnr_compose.core import units
from cntnr_compose.core.frozen import Tree

Decoder: TypeAlias = Callable[[Any, Path], Any]

OMIT: Any = object()
EXTENSIONS_KEY = "#extensions"
INFINITE = (float("inf"), float("-inf"))


def _locates_errors(kind: Decoder) -> Decoder:
    """Tell where a value does not fit."""

    def check(value: Any, path: Path) -> Any:
        try:
            return kind(value, path)
        except ValueError as error:
            what = str(error)
        return fail(f"'{indexed_path(path)}' {what}", path)

    return check


def indexed_path(path: Path) -> str:
    """Write a path as the decoder of docker compose does: ``services[web].ports[0]``."""
    done = ""
    for depth, step in enumerate(path):
        key = isinstance(step, int) or (depth == 1 and path[0] in NAMED)
        done += f"[{step}]" if key else f".{step}" if done else str(step)
    return done


NAMED = frozenset({"services", "networks", "volumes", "configs", "secrets", "models"})


def scalar(value: Any, _path: Path) -> Any:
    """Take a text, or a number or a boolean as text."""
    if isinstance(value, dict | list):
        raise Mistyped(value, "a string")
    return OMIT if value in (None, "") and value is not False else format_value(value)


@_locates_errors
def string(value: Any, path: Path) -> Any:
    """Take a text, or a whole number as text."""
    if isinstance(value, float):
        raise Unconvertible(value, "string")
    return scalar(value, path)


def _boolean(value: Any) -> bool:
    if isinstance(value, str):
        return go_parse.parse_yaml_bool(value)
    if not isinstance(value, bool):
        raise Mistyped(value, "a boolean")
    return value


@_locates_errors
def flag(value: Any, _path: Path) -> Any:
    """Take a boolean that is not printed where it is false."""
    return OMIT if value is None or not _boolean(value) else True


@_locates_errors
def tristate(value: Any, _path: Path) -> Any:
    """Take a boolean for which false means something."""
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


@_locates_errors
def natural(value: Any, _path: Path) -> Any:
    """Take a whole number that is not below 0, for which 0 means something."""
    return OMIT if value is None else _unsigned(_whole(value), 64)


@_locates_errors
def nonzero_integer(value: Any, _path: Path) -> Any:
    """Take a whole number that is not printed where it is 0."""
    return OMIT if value is None else _whole(value) or OMIT


@_locates_errors
def integer(value: Any, _path: Path) -> Any:
    """Take a whole number for which 0 means something."""
    return OMIT if value is None else _whole(value)


def unsigned(bits: int) -> Decoder:
    """Make the kind of a number without a sign, which is cut to its bits; never a text."""

    @_locates_errors
    def check(value: Any, _path: Path) -> Any:
        if value is None:
            return OMIT
        if isinstance(value, bool | str) or value in INFINITE:
            raise Unconvertible(value, f"uint{bits}")
        return _unsigned(value, bits) or OMIT

    return check


@_locates_errors
def nonzero_float(value: Any, _path: Path) -> Any:
    """Take a number of 32 bits that is not printed where it is 0."""
    if value is None:
        return OMIT
    if isinstance(value, str):
        number = go_parse.parse_float32(value)
    elif isinstance(value, bool) or not isinstance(value, int | float) or value in INFINITE:
        raise Mistyped(value, "a number")
    else:
        number = go_parse.round_to_float32(float(value))
    return (int(number) if number.is_integer() else number) or OMIT


@_locates_errors
def byte_size(value: Any, _path: Path) -> Any:
    """Take a number of bytes, or a text such as ``64m``; printed as digits."""
    if value is None or isinstance(value, float):
        return OMIT  # docker compose takes a number with a fraction for none
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Mistyped(value, "a size")
    number = units.parse_size(value) if isinstance(value, str) else value
    return str(number) if number else OMIT


@_locates_errors
def duration(value: Any, _path: Path) -> Any:
    """Take a duration."""
    if value is None:
        return OMIT
    return units.format_duration(units.parse_nanoseconds(format_value(value)))


def nonzero_duration(value: Any, path: Path) -> Any:
    """Take a duration that is not printed where it is 0."""
    told = duration(value, path)
    return OMIT if told == units.format_duration(0) else told


@_locates_errors
def file_mode(value: Any, _path: Path) -> Any:
    """Take the mode of a file; printed in octal digits."""
    if value is None:
        return OMIT
    if isinstance(value, float):
        raise UnexpectedType(value, "mode")
    number = (
        go_parse.parse_int(value, function="ParseInt", base=8)
        if isinstance(value, str)
        else int(value)
    )
    return f"0{number:o}"


@_locates_errors
def command(value: Any, path: Path) -> Any:
    """Take words, or a line that is split as a shell would."""
    if value is None:
        return OMIT
    return (
        shell_words.split_command(value)
        if isinstance(value, str)
        else strings_or_empty(value, path)
    )


@_locates_errors
def healthcheck_test(value: Any, path: Path) -> Any:
    """Take the test of a health check; a line is for a shell."""
    if isinstance(value, str):
        return ["CMD-SHELL", value]
    return strings(value, path)


def strings_or_empty(value: Any, path: Path) -> Any:
    """Take a list of texts, or one text; an empty list is printed."""
    if value is None:
        return OMIT
    found = [value] if not isinstance(value, list) else value
    words = [string(one, (*path, index)) for index, one in enumerate(found)]
    return ["" if word is OMIT else word for word in words]


def _word(value: Any, path: Path) -> str:
    word = scalar(value, path)
    return "" if word is OMIT else word


def strings(value: Any, path: Path) -> Any:
    """Take a list of texts, or one text."""
    found = strings_or_empty(value, path)
    return found or OMIT


def scalars(value: Any, path: Path) -> Any:
    """Take a list of scalars, or one of them, as texts."""
    found = value if isinstance(value, list) else [value]
    return [_word(one, path) for one in found] or OMIT


def collect_extensions(pairs: Tree) -> Tree:
    """Lay names that begin with x- aside, under the key and in the form of docker compose."""
    extras = {key for key in pairs if key.startswith("x-")}
    if not extras:
        return pairs
    kept = {key: one for key, one in pairs.items() if key not in extras}
    return kept | {EXTENSIONS_KEY: format_value({key: pairs[key] for key in extras})}


def _pairs(value: Any, path: Path) -> dict[str, Any]:
    if isinstance(value, dict):
        return collect_extensions(value)
    if not isinstance(value, list):
        raise Mistyped(value, "a mapping")
    done: dict[str, Any] = {}
    for one in value:
        key, equals, rest = _word(one, path).partition("=")
        done[key] = rest if equals else None
    return done


@_locates_errors
def string_mapping(value: Any, path: Path) -> Any:
    """Take names and texts, as a mapping or as ``KEY=VALUE``; one without a value has an empty one."""
    if value is None:
        return OMIT
    pairs = _pairs(value, path)
    return {key: _word(pairs[key], (*path, key)) for key in sorted(pairs)} or OMIT


@_locates_errors
def strict_string_mapping(value: Any, path: Path) -> Any:
    """Take a mapping of names to texts, and nothing else."""
    if value is None:
        return OMIT
    if not isinstance(value, dict):
        raise Mistyped(value, "a mapping")
    if EXTENSIONS_KEY in collect_extensions(value):
        raise Unconvertible(value, "string")
    found = {key: string(value[key], (*path, key)) for key in sorted(value)}
    return {key: "" if one is OMIT else one for key, one in found.items()} or OMIT


@_locates_errors
def environment(value: Any, path: Path) -> Any:
    """Take names and texts; one without a value stays without."""
    if value is None:
        return OMIT
    pairs = _pairs(value, path)
    for key in pairs if isinstance(value, list) else ():
        if key and chr(key.encode()[-1]).isspace():  # a byte for a letter, as docker compose does
            raise TrailingSpace(key)
    done = {}
    for key in sorted(pairs):
        inner = pairs[key]
        done[key] = None if inner is None else _word(inner, (*path, key))
    return done or OMIT


@_locates_errors
def extra_hosts(value: Any, path: Path) -> Any:
    """Take names of hosts and their addresses; printed as a list of ``NAME=ADDRESS``."""
    if value is None:
        return OMIT
    done: list[str] = []
    if isinstance(value, dict):
        if EXTENSIONS_KEY in collect_extensions(value):
            raise UnexpectedType(value, "extra_hosts entry")
        for name, addresses in value.items():
            each = addresses if isinstance(addresses, list) else [addresses]
            done.extend(f"{name}={_address(_word(one, path))}" for one in each)
        return sorted(done) if value else OMIT
    for one in value:
        line = _word(one, path)
        name, sign, address = line.partition("=")
        if not sign:
            name, sign, address = line.partition(":")
        if not sign:
            raise AddressMissing(line)
        if not name or ":" in name:
            raise BadHostName(name)
        done.append(f"{name}={_address(address)}")
    return sorted(done) or OMIT


def _address(word: str) -> str:
    return word[1:-1] if word.startswith("[") and word.endswith("]") else word
