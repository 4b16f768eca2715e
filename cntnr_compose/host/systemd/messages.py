"""Write calls and read replies of D-Bus, as far as calls of systemd need them (D-Bus specification).

Values are those of Python; a variant is a pair of its signature and its value. No program and no library is
started for it: `busctl` takes longer than the call.
"""

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

LITTLE_ENDIAN = ord("l")
CALL, RETURN, ERROR = 1, 2, 3
PATH, INTERFACE, MEMBER, SIGNATURE = 1, 2, 3, 8  # fields of a header
VERSION = 1
START = struct.Struct("<BBBBIII")  # endianness, kind, flags, version, body, serial, fields
MAX_SIZE = 1 << 20  # bytes of a reply that are read; a hundred are usual
ALIGNMENT = {"y": 1, "g": 1, "v": 1, "(": 8}  # others: 4


class NotUnderstood(ValueError):
    """The other side says what is no message of D-Bus."""

    def __init__(self, said: str = "") -> None:
        super().__init__(f"no message of D-Bus: {said}")


class MessageStart(NamedTuple):
    """What the first bytes of a message tell."""

    kind: int
    rest: int  # bytes that follow


def encode_call(path: str, interface: str, member: str, signature: str, *values: Any) -> bytes:
    """Write a call of a method."""
    body = bytearray()
    for kind, value in zip(_split(signature), values, strict=True):
        _append(body, kind, value)
    fields = [
        (PATH, ("o", path)),
        (INTERFACE, ("s", interface)),
        (MEMBER, ("s", member)),
        (SIGNATURE, ("g", signature)),
    ]
    message = bytearray()
    for kind, value in zip("yyyyuu", (LITTLE_ENDIAN, CALL, 0, VERSION, len(body), 1), strict=True):
        _append(message, kind, value)
    _append(message, "a(yv)", fields)
    _pad(message, 8)
    return bytes(message + body)


def decode_start(start: bytes) -> MessageStart:
    """Read the first `START` bytes of a message. Raises `NotUnderstood`."""
    endianness, kind, _, version, body, _, fields = START.unpack(start)
    rest = fields + -fields % 8 + body
    if endianness != LITTLE_ENDIAN or version != VERSION or rest > MAX_SIZE:
        raise NotUnderstood(start.hex())
    return MessageStart(kind=kind, rest=rest)


def _append(out: bytearray, signature: str, value: Any) -> None:
    """Append a value of one complete type."""
    kind = signature[0]
    _pad(out, ALIGNMENT.get(kind, 4))
    match kind:
        case "y":
            out.append(value)
        case "u" | "b":
            out += struct.pack("<I", value)
        case "s" | "o":
            text = value.encode()
            out += struct.pack("<I", len(text)) + text + b"\0"
        case "g":
            out += bytes((len(value),)) + value.encode() + b"\0"
        case "v":
            _append(out, "g", value[0])
            _append(out, *value)
        case "(":
            for inner, field in zip(_split(signature[1:-1]), value, strict=True):
                _append(out, inner, field)
        case "a":
            _append_array(out, signature[1:], value)
        case _:
            raise ValueError(signature)


def _append_array(out: bytearray, signature: str, values: list[Any]) -> None:
    """Append an array: its length is that of the elements, without what aligns the first of them."""
    at = len(out)
    out += bytes(4)
    _pad(out, ALIGNMENT.get(signature[0], 4))
    start = len(out)
    for value in values:
        _append(out, signature, value)
    struct.pack_into("<I", out, at, len(out) - start)


def _pad(out: bytearray, alignment: int) -> None:
    out += bytes(-len(out) % alignment)


def _split(signature: str) -> Iterator[str]:
    """Split a signature into complete types."""
    at = 0
    while at < len(signature):
        end = _type_end(signature, at)
        yield signature[at:end]
        at = end


def _type_end(signature: str, at: int) -> int:
    while signature[at] == "a":
        at += 1
    if signature[at] != "(":
        return at + 1
    depth = 0
    while True:
        depth += {"(": 1, ")": -1}.get(signature[at], 0)
        at += 1
        if depth == 0:
            return at
