"""Why a value does not fit its key, in the words of docker compose's decoder."""

from typing import Any

from cntnr_compose.compose.basics.go_format import format_value

GO_TYPES = {
    bool: "bool", int: "int", float: "float64", dict: "map[string]interface {}",
    list: "[]interface {}",
}  # fmt: skip


class Mistyped(ValueError):
    """A value is of a type that its key cannot take."""

    def __init__(self, value: Any, wanted: str) -> None:
        super().__init__(f"expected {wanted}, got {format_value(value)}")


class Unconvertible(ValueError):
    """A value is of a type of which Go makes no other."""

    def __init__(self, value: Any, wanted: str) -> None:
        got = GO_TYPES.get(type(value), "string")
        super().__init__(f"expected type '{wanted}', got unconvertible type '{got}'")


class UnexpectedType(ValueError):
    """A value is of a type that a key of this name does not know."""

    def __init__(self, value: Any, what: str) -> None:
        super().__init__(f"unexpected value type {GO_TYPES.get(type(value), 'string')} for {what}")


class Negative(ValueError):
    """A number is below zero where none can be."""

    def __init__(self, value: Any, wanted: str) -> None:
        super().__init__(f"cannot parse value as '{wanted}': {format_value(value)} overflows uint")


class TrailingSpace(ValueError):
    """A variable's name ends with a space."""

    def __init__(self, name: str) -> None:
        super().__init__(f"environment variable {name} is declared with a trailing space")


class BadHostName(ValueError):
    """A line of `extra_hosts` names no host."""

    def __init__(self, name: str) -> None:
        super().__init__(f"bad host name '{name}'")


class AddressMissing(ValueError):
    """A line of `extra_hosts` has no address."""

    def __init__(self, line: str) -> None:
        super().__init__(f"invalid additional host, missing IP: {line}")
