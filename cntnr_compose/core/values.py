"""Frozen values and their JSON form. The one home of msgspec.

A `Value` subclass is declared `class Port(Value, frozen=True, kw_only=True)`. Structs are chosen over
dataclasses because forty of them cost 2 ms at import, dataclasses 25 ms, and every command pays that.
"""

import sys
from typing import Any, TypeAlias, TypeVar

from cntnr_compose.core.frozen import Bytes, Seconds
from cntnr_compose.core.uninterruptible import uninterruptible

# msgspec takes typing_extensions where that is installed (jsonschema brings it along): 10 ms for
# what `typing` has as well. None makes the import fail quickly, once.
_hidden = "typing_extensions" not in sys.modules
if _hidden:
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
with (
    uninterruptible()
):  # its beginning forgets an exception, and half begun it takes the process along later
    import msgspec
    from msgspec import Struct, field
    from msgspec.structs import asdict, replace

if _hidden:
    del sys.modules["typing_extensions"]

__all__ = [
    "Bytes",
    "Seconds",
    "Tree",
    "Value",
    "asdict",
    "field",
    "from_json",
    "from_tree",
    "replace",
    "to_json",
    "to_tree",
]


Tree: TypeAlias = dict[str, Any]  # as `plain.Tree`, but of the `Any` that msgspec reads

T = TypeVar("T")


class Value(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of every frozen value."""


def to_json(value: object) -> bytes:
    """Write a value as one line of JSON."""
    return msgspec.json.encode(value)


def from_json(text: bytes | str, kind: type[T]) -> T:
    """Read JSON as a value of ``kind``; unknown keys are passed over.

    Raises `ValueError` (msgspec's errors are of that family) when it does not fit.
    """
    return msgspec.json.decode(text, type=kind)


def to_tree(value: object) -> Any:
    """Turn a value into plain dicts, lists and scalars."""
    return msgspec.to_builtins(value)


def from_tree(tree: object, kind: type[T]) -> T:
    """Turn plain dicts, lists and scalars into a value of ``kind``.

    Numbers written as strings are accepted. Raises `ValueError` when it does not fit.
    """
    return msgspec.convert(tree, kind, strict=False)
