"""Frozen values as msgspec structs, and their JSON and MessagePack forms. The one home of msgspec.

A `Value` subclass is declared `class Port(Value, frozen=True, kw_only=True)`. Structs rather than
dataclasses, since forty of them take 2 ms to import, dataclasses 25 ms, and every command pays that.
"""

import sys
import types
from typing import Any, TypeAlias, TypeVar

from cntnr_compose.core.frozen import Bytes, Seconds
from cntnr_compose.core.uninterruptible import uninterruptible

# What msgspec imports and our values never use is half of the time that its import takes. Empty modules
# stand in for it meanwhile; without typing_extensions it takes `typing`, which has the same.
UNUSED = (
    "decimal", "uuid", "typing_extensions",
    "msgspec._json_schema", "msgspec.inspect", "msgspec.toml", "msgspec.yaml",
)  # fmt: skip


class _Unused(types.ModuleType):
    """A module of which nothing but the names is needed."""

    def __getattr__(self, name: str) -> type:
        if self.__name__ == "typing_extensions":
            raise AttributeError(name)
        return type(name, (), {"unknown": None})


_unused = {name: _Unused(name) for name in UNUSED if name not in sys.modules}
sys.modules |= _unused
with (
    uninterruptible()
):  # its beginning forgets an exception, and half begun it takes the process along later
    import msgspec
    from msgspec import Struct, field
    from msgspec.structs import asdict, replace

for _name in _unused:
    del sys.modules[_name]

__all__ = [
    "Bytes",
    "Seconds",
    "Tree",
    "Value",
    "asdict",
    "field",
    "from_json",
    "from_msgpack",
    "from_tree",
    "prepare",
    "replace",
    "to_json",
    "to_msgpack",
    "to_tree",
]


Tree: TypeAlias = dict[str, Any]  # as `plain.Tree`, but of the `Any` that msgspec reads

T = TypeVar("T")


class Value(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all frozen values."""


def to_json(value: object) -> bytes:
    """Encode a value as one line of JSON."""
    return msgspec.json.encode(value)


def from_json(text: bytes | str, kind: type[T]) -> T:
    """Decode JSON to a value of ``kind``; unknown keys are ignored.

    Raises `ValueError` (msgspec's errors are of that family) where it does not fit.
    """
    return msgspec.json.decode(text, type=kind)


def prepare(kind: object) -> None:
    """Compute what decoding a type takes, which is done once a process, before it is needed."""
    msgspec.json.Decoder(kind)


def to_msgpack(value: object) -> bytes:
    """Encode a value as MessagePack, which holds bytes as they are."""
    return msgspec.msgpack.encode(value)


def from_msgpack(data: bytes, kind: type[T]) -> T:
    """Decode MessagePack to a value of ``kind``. Raises `ValueError` where it does not fit."""
    return msgspec.msgpack.decode(data, type=kind)


def to_tree(value: object) -> Any:
    """Convert a value to plain dicts, lists and scalars."""
    return msgspec.to_builtins(value)


def from_tree(tree: object, kind: type[T]) -> T:
    """Convert plain dicts, lists and scalars to a value of ``kind``.

    Numbers written as strings are accepted. Raises `ValueError` where it does not fit.
    """
    return msgspec.convert(tree, kind, strict=False)
