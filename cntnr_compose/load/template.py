"""Variables in a text: ``$V``, ``${V}``, ``${V:-default}``, ``${V:?message}``, ``${V:+other}`` and so on."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeAlias

from cntnr_compose.core.values import Value

Lookup: TypeAlias = Callable[[str], str | None]
Unset: TypeAlias = Callable[[str], None]

OPERATORS = (":?", "?", ":-", "-", ":+", "+")
DEEPEST = 64  # variables in defaults in defaults


class TemplateInvalid(ValueError):
    """A text has a ``${`` that begins no variable."""


class VariableMissing(ValueError):
    """A variable that a text demands has no value."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"required variable {name} is missing a value" + (f": {why}" if why else "")
        )


class Variable(Value, frozen=True, kw_only=True):
    """A variable as a text mentions it."""

    name: str
    required: bool = False
    default: str = ""
    alternate: str = ""


@cache
def _pattern() -> re.Pattern[str]:
    word = "[_a-z][_a-z0-9]*"
    braced = rf"{word}(?::?[-+?](?:.*))?"
    inner = rf"\{{(?:(?P<braced>{braced})\}}|(?P<invalid>))"
    return re.compile(rf"\$(?i:(?P<escaped>\$)|(?P<named>{word})|{inner})")


def substitute(text: str, lookup: Lookup, unset: Unset | None = None) -> str:
    """Put values in; ``unset`` is told of variables that have none and no default.

    Raises `TemplateInvalid`, `VariableMissing`.
    """
    if "$" not in text:
        return text
    return _substitute(text, lookup, unset, 0)


def _substitute(text: str, lookup: Lookup, unset: Unset | None, depth: int) -> str:
    if "$" not in text:
        return text
    if depth > DEEPEST:
        raise TemplateInvalid(text)
    parts: list[str] = []
    at = 0
    while (found := _pattern().search(text, at)) is not None:
        parts.append(text[at : found.start()])
        end = found.end()
        if found["escaped"]:
            parts.append("$")
        elif found["named"]:
            parts.append(_value(found["named"], lookup, unset))
        elif found["braced"]:
            end = _closing(text, found.start(), found.end())
            inner = text[found.start() + 2 : end - 1]
            parts.append(_braced(inner, lookup, unset, depth))
        else:
            raise TemplateInvalid(text)
        at = end
    parts.append(text[at:])
    return "".join(parts)


def _value(name: str, lookup: Lookup, unset: Unset | None) -> str:
    value = lookup(name)
    if value is None and unset is not None:
        unset(name)
    return value or ""


def _closing(text: str, start: int, end: int) -> int:
    """Find where the brace that opens at ``start`` closes; the pattern took all up to the last one.

    What follows an opening brace is not looked at, as in docker compose.
    """
    depth, at = 0, start
    while at < end:
        if text[at] == "}":
            depth -= 1
            if depth == 0:
                return at + 1
        if text[at] == "{":
            depth += 1
            at += 1
        at += 1
    return end


def split(inner: str) -> tuple[str, str, str]:
    """Split what stands in braces into name, operator and the rest."""
    found = [(at, -len(word), word) for word in OPERATORS if (at := inner.find(word)) >= 0]
    if not found:
        return inner, "", ""
    at, _, word = min(found)
    return inner[:at], word, inner[at + len(word) :]


def _braced(inner: str, lookup: Lookup, unset: Unset | None, depth: int) -> str:
    name, operator, rest = split(inner)
    if not operator:
        return _value(name, lookup, unset)
    rest = _substitute(rest, lookup, unset, depth + 1)
    value = lookup(name)
    given = value is not None and (value != "" or ":" not in operator)
    match operator[-1]:
        case "?":
            if not given:
                raise VariableMissing(name, rest)
            return value or ""
        case "-":
            return (value or "") if given else rest
        case _:
            return rest if given else value or ""


def variables(text: str) -> Iterator[Variable]:
    """Give the variables that a text mentions, those in defaults too."""
    at = 0
    while "$" in text and (found := _pattern().search(text, at)) is not None:
        at = found.end()
        if found["named"]:
            yield Variable(name=found["named"])
        elif found["braced"]:
            at = _closing(text, found.start(), found.end())
            name, operator, rest = split(text[found.start() + 2 : at - 1])
            yield Variable(
                name=name,
                required="?" in operator,
                default=rest if "-" in operator else "",
                alternate=rest if "+" in operator else "",
            )
            yield from variables(rest)
