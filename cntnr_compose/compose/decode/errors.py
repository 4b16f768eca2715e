"""Errors of decoders in docker compose's words, and the path of the value in front of them."""

from collections.abc import Callable
from typing import Any

from cntnr_compose.compose.basics.diagnostics import Path, fail
from cntnr_compose.compose.basics.go_format import format_value

GO_TYPES = {
    bool: "bool", int: "int", float: "float64", dict: "map[string]interface {}",
    list: "[]interface {}",
}  # fmt: skip
NAMED_SECTIONS = frozenset({"services", "networks", "volumes", "configs", "secrets", "models"})


def locate_errors(decode: Callable[[Any, Path], Any]) -> Callable[[Any, Path], Any]:
    """Turn each `ValueError` of a decoder into a diagnostic with the path of the value."""

    def decode_value(value: Any, path: Path) -> Any:
        try:
            return decode(value, path)
        except ValueError as error:
            message = str(error)
        return fail(f"'{indexed_path(path)}' {message}", path)

    return decode_value


def indexed_path(path: Path) -> str:
    """Format a path as docker compose's decoder does: ``services[web].ports[0]``."""
    text = ""
    for depth, step in enumerate(path):
        is_index = isinstance(step, int) or (depth == 1 and path[0] in NAMED_SECTIONS)
        text += f"[{step}]" if is_index else f".{step}" if text else str(step)
    return text


class Mistyped(ValueError):
    """A value has a type that its key does not take."""

    def __init__(self, value: Any, expected: str) -> None:
        super().__init__(f"expected {expected}, got {format_value(value)}")


class Unconvertible(ValueError):
    """A value has a type that docker compose does not convert."""

    def __init__(self, value: Any, expected: str) -> None:
        got = GO_TYPES.get(type(value), "string")
        super().__init__(f"expected type '{expected}', got unconvertible type '{got}'")


class UnexpectedType(ValueError):
    """A value has a type that docker compose has no case for."""

    def __init__(self, value: Any, key: str) -> None:
        super().__init__(f"unexpected value type {GO_TYPES.get(type(value), 'string')} for {key}")


class Negative(ValueError):
    """A number is negative where none may be."""

    def __init__(self, value: Any, expected: str) -> None:
        super().__init__(
            f"cannot parse value as '{expected}': {format_value(value)} overflows uint"
        )


class TrailingSpace(ValueError):
    """The name of a variable ends with a space."""

    def __init__(self, name: str) -> None:
        super().__init__(f"environment variable {name} is declared with a trailing space")


class BadHostName(ValueError):
    """An entry of `extra_hosts` has no valid host name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"bad host name '{name}'")


class AddressMissing(ValueError):
    """An entry of `extra_hosts` has no address."""

    def __init__(self, line: str) -> None:
        super().__init__(f"invalid additional host, missing IP: {line}")
