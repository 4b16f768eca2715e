"""Functions of Go templates, and docker's own, and how a value is printed."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cntnr_compose.core.values import to_json

VERB = re.compile(
    r"%([-+ #0]*\d{0,4}(?:\.\d{1,4})?)([a-zA-Z%])"
)  # of a format: flags, width and kind


def format_value(value: object) -> str:
    """Format a value as Go prints it: ``[a b]``, ``map[a:1 b:2]``; a list of mappings as JSON."""
    if value is None:
        return "<no value>"
    if isinstance(value, Mapping):
        pairs = (f"{name}:{format_value(value[name])}" for name in sorted(value))
        return f"map[{' '.join(pairs)}]"
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence) and not any(isinstance(item, Mapping) for item in value):
        return f"[{' '.join(map(format_value, value))}]"
    return to_json(value).decode()


def _index(value: Any, *keys: Any) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else value[key]
    return value


def _printf(form: str, *values: object) -> str:
    """Format values as Go does, as far as its verbs are those of Python, and by ``%v``, ``%q``, ``%t``."""
    left = iter(values)
    text = VERB.sub(lambda match: _format_verb(match, left), form)
    if next(left, None) is not None:
        raise ValueError(form)
    return text


def _format_verb(match: re.Match[str], values: Iterator[object]) -> str:
    flags, verb = match.groups()
    if verb == "%":
        return "%"
    value = next(values, None)
    if verb in "vst":
        return f"%{flags}s" % format_value(value)
    return (
        f"%{flags}s" % to_json(format_value(value)).decode()
        if verb == "q"
        else f"%{flags}{verb}" % value
    )


def _pad(value: str, before: int, after: int) -> str:
    return " " * before + value + " " * after if value else value


FUNCTIONS: dict[str, Callable[..., object]] = {
    "json": lambda value: to_json(value).decode(),
    "upper": lambda value: format_value(value).upper(),
    "lower": lambda value: format_value(value).lower(),
    "len": lambda value: len(value or ()),
    "index": _index,
    "split": lambda value, separator: value.split(separator),
    "slice": lambda value, *ends: value[
        ends[0] if ends else 0 : ends[1] if len(ends) > 1 else None
    ],
    "title": lambda value: value[:1].upper() + value[1:],
    "join": lambda values, separator: separator.join(map(str, values)),
    "print": lambda *values: "".join(map(format_value, values)),
    "println": lambda *values: " ".join(map(format_value, values)) + "\n",
    "printf": _printf,
    "pad": _pad,
    "truncate": lambda value, length: value[:length],
    "gt": lambda first, second: first > second,
    "ge": lambda first, second: first >= second,
    "lt": lambda first, second: first < second,
    "le": lambda first, second: first <= second,
    "eq": lambda first, *others: first in others,
    "ne": lambda first, second: first != second,
    "not": lambda value: not value,
    "and": lambda *values: next((value for value in values if not value), values[-1]),
    "or": lambda *values: next((value for value in values if value), values[-1]),
}
