"""Kinds of values: what a key accepts, and how docker compose prints it.

A kind is a function of a value and its path that gives the canonical value, or `OMIT` where docker
compose prints nothing. It raises `ValueError` for what does not fit.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from cntnr_compose.core import units
from cntnr_compose.core.values import Tree
from cntnr_compose.load import casts, shellwords
from cntnr_compose.load.findings import ComposeFileInvalid, Finding
from cntnr_compose.load.numbers import text
from cntnr_compose.load.refusal import refuse
from cntnr_compose.load.rows import Path

Kind: TypeAlias = Callable[[Any, Path], Any]

OMIT: Any = object()
INFINITE = (float("inf"), float("-inf"))


class Mistyped(ValueError):
    """A value is of a type that its key cannot take."""

    def __init__(self, value: Any, wanted: str) -> None:
        super().__init__(f"expected {wanted}, got {text(value)}")


class TrailingSpace(ValueError):
    """A variable's name ends with a space."""

    def __init__(self, name: str) -> None:
        super().__init__(f"environment variable {name} is declared with a trailing space")


class AddressMissing(ValueError):
    """A line of `extra_hosts` has no address."""

    def __init__(self, line: str) -> None:
        super().__init__(f"invalid additional host, missing IP: {line}")


def _fits(kind: Kind) -> Kind:
    """Tell where a value does not fit."""

    def check(value: Any, path: Path) -> Any:
        try:
            return kind(value, path)
        except ValueError as error:
            what = str(error)
        return refuse(f"'{_indexed(path)}' {what}", path)

    return check


def _indexed(path: Path) -> str:
    """Write a path as the decoder of docker compose does: ``services[web].ports[0]``."""
    done = ""
    for depth, step in enumerate(path):
        key = isinstance(step, int) or (depth == 1 and path[0] in NAMED)
        done += f"[{step}]" if key else f".{step}" if done else str(step)
    return done


NAMED = frozenset({"services", "networks", "volumes", "configs", "secrets", "models"})


def string(value: Any, _path: Path) -> Any:
    """Take a text, or a number as text."""
    if isinstance(value, dict | list):
        raise Mistyped(value, "a string")
    return OMIT if value in (None, "") and value is not False else text(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, str):
        return casts.boolean(value)
    if not isinstance(value, bool):
        raise Mistyped(value, "a boolean")
    return value


@_fits
def flag(value: Any, _path: Path) -> Any:
    """Take a boolean that is not printed where it is false."""
    return OMIT if value is None or not _boolean(value) else True


@_fits
def choice(value: Any, _path: Path) -> Any:
    """Take a boolean for which false means something."""
    return OMIT if value is None else _boolean(value)


def _whole(value: Any) -> int:
    if isinstance(value, str):
        return casts.integer64(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value in INFINITE:
        raise Mistyped(value, "a number")
    return int(value)


@_fits
def whole(value: Any, _path: Path) -> Any:
    """Take a whole number that is not printed where it is 0."""
    return OMIT if value is None else _whole(value) or OMIT


@_fits
def count(value: Any, _path: Path) -> Any:
    """Take a whole number for which 0 means something."""
    return OMIT if value is None else _whole(value)


@_fits
def decimal(value: Any, _path: Path) -> Any:
    """Take a number of 32 bits that is not printed where it is 0."""
    if value is None:
        return OMIT
    if isinstance(value, str):
        number = casts.decimal32(value)
    elif isinstance(value, bool) or not isinstance(value, int | float) or value in INFINITE:
        raise Mistyped(value, "a number")
    else:
        number = casts.single(float(value))
    return (int(number) if number.is_integer() else number) or OMIT


@_fits
def size(value: Any, _path: Path) -> Any:
    """Take a number of bytes, or a text such as ``64m``; printed as digits."""
    if value is None or isinstance(value, float):
        return OMIT  # docker compose takes a number with a fraction for none
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Mistyped(value, "a size")
    number = units.size(value) if isinstance(value, str) else value
    return str(number) if number else OMIT


@_fits
def duration(value: Any, _path: Path) -> Any:
    """Take a duration."""
    if value is None:
        return OMIT
    return units.duration(units.nanoseconds(text(value)))


@_fits
def mode(value: Any, _path: Path) -> Any:
    """Take the mode of a file; printed in octal digits."""
    if value is None:
        return OMIT
    number = casts.integer(value, name="ParseInt", base=8) if isinstance(value, str) else int(value)
    return f"0{number:o}"


@_fits
def command(value: Any, path: Path) -> Any:
    """Take words, or a line that is split as a shell would."""
    if value is None:
        return OMIT
    return shellwords.split(value) if isinstance(value, str) else strings_kept(value, path)


@_fits
def test(value: Any, path: Path) -> Any:
    """Take the test of a health check; a line is for a shell."""
    if isinstance(value, str):
        return ["CMD-SHELL", value]
    return strings(value, path)


def strings_kept(value: Any, path: Path) -> Any:
    """Take a list of texts, or one text; an empty list is printed."""
    if value is None:
        return OMIT
    found = [value] if not isinstance(value, list) else value
    return [_word(one, (*path, index)) for index, one in enumerate(found)]


def _word(value: Any, path: Path) -> str:
    word = string(value, path)
    return "" if word is OMIT else word


def strings(value: Any, path: Path) -> Any:
    """Take a list of texts, or one text."""
    found = strings_kept(value, path)
    return found or OMIT


def _pairs(value: Any, path: Path) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if not isinstance(value, list):
        raise Mistyped(value, "a mapping")
    done: dict[str, Any] = {}
    for one in value:
        key, equals, rest = _word(one, path).partition("=")
        done[key] = rest if equals else None
    return done


@_fits
def mapping(value: Any, path: Path) -> Any:
    """Take names and texts, as a mapping or as ``KEY=VALUE``; one without a value has an empty one."""
    if value is None:
        return OMIT
    pairs = _pairs(value, path)
    return {key: _word(pairs[key], (*path, key)) for key in sorted(pairs)} or OMIT


@_fits
def environment(value: Any, path: Path) -> Any:
    """Take names and texts; one without a value stays without."""
    if value is None:
        return OMIT
    pairs = _pairs(value, path)
    for key in pairs:
        if key != key.rstrip():
            raise TrailingSpace(key)
    done = {}
    for key in sorted(pairs):
        inner = pairs[key]
        done[key] = None if inner is None else _word(inner, (*path, key))
    return done or OMIT


@_fits
def hosts(value: Any, path: Path) -> Any:
    """Take names of hosts and their addresses; printed as a list of ``NAME=ADDRESS``."""
    if value is None:
        return OMIT
    done: list[str] = []
    if isinstance(value, dict):
        for name, addresses in value.items():
            each = addresses if isinstance(addresses, list) else [addresses]
            done.extend(f"{name}={_address(_word(one, path))}" for one in each)
    else:
        for one in value:
            line = _word(one, path)
            name, sign, address = line.partition("=")
            if not sign:
                name, sign, address = line.partition(":")
            if not sign:
                raise AddressMissing(line)
            done.append(f"{name}={_address(address)}")
    return sorted(done) or OMIT


def _address(word: str) -> str:
    return word[1:-1] if word.startswith("[") and word.endswith("]") else word


def _accepted(done: Any, refused: list[Finding]) -> Any:
    """Give what was made, or tell all that could not be."""
    if refused:
        raise ComposeFileInvalid(refused)
    return done


def listed(kind: Kind) -> Kind:
    """Make the kind of a list whose items are of a kind."""

    def check(value: Any, path: Path) -> Any:
        if value is None:
            return OMIT
        if not isinstance(value, list):
            refuse(f"{_indexed(path)} must be a list", path)
        done: list[Any] = []
        refused: list[Finding] = []
        for index, inner in enumerate(value):
            try:
                one = kind(inner, (*path, index))
                done.append({} if one is OMIT else one)
            except ComposeFileInvalid as error:
                refused += error.findings
        return _accepted(done or OMIT, refused)

    return check


def mapped(kind: Kind, *, empty: Any = None) -> Kind:
    """Make the kind of a mapping whose values are of a kind; ``empty`` is what nothing becomes."""

    def check(value: Any, path: Path) -> Any:
        if value is None:
            return OMIT
        if not isinstance(value, dict):
            refuse(f"{_indexed(path)} must be a mapping", path)
        done: Tree = {}
        refused: list[Finding] = []
        for key in sorted(value):
            try:
                one = OMIT if value[key] is None else kind(value[key], (*path, key))
                done[key] = empty if one is OMIT else one
            except ComposeFileInvalid as error:
                refused += error.findings
        return _accepted(done or OMIT, refused)

    return check


def fields(kinds: dict[str, Kind]) -> Kind:
    """Make the kind of a mapping with keys that are known, printed in their order; x-* come last."""

    def check(value: Any, path: Path) -> Any:
        if value is None:
            return OMIT
        if not isinstance(value, dict):
            refuse(f"{_indexed(path)} must be a mapping", path)
        done: Tree = {}
        refused: list[Finding] = []
        for key, kind in kinds.items():
            if key in value:
                try:
                    one = kind(value[key], (*path, key))
                    if one is not OMIT:
                        done[key] = one
                except ComposeFileInvalid as error:
                    refused += error.findings
        for key in sorted(value):
            if key.startswith("x-") and key not in kinds:
                done[key] = value[key]
        return _accepted(done, refused)

    return check
