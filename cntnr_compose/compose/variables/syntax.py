"""Variables in a text: ``$V``, ``${V}``, ``${V:-default}``, ``${V:?message}``, ``${V:+other}`` and so on."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeAlias

from cntnr_compose.core.frozen import Frozen

Lookup: TypeAlias = Callable[[str], str | None]
OnUnset: TypeAlias = Callable[[str], None]

OPERATORS = (":?", "?", ":-", "-", ":+", "+")
MAX_DEPTH = 64  # variables in defaults in defaults
MAX_LENGTH = 16 << 20  # letters of a text, once variables are in it
MAX_SHOWN = 200


class TemplateInvalid(ValueError):
    """A text has a ``${`` that begins no variable."""

    def __init__(self, text: str) -> None:
        super().__init__(text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…")


class TextTooLong(ValueError):
    """A text grows without measure by what its variables hold."""

    def __init__(self) -> None:
        super().__init__(f"more than {MAX_LENGTH >> 20} MiB of text, once variables are in it")


class VariableMissing(ValueError):
    """A variable that a text demands has no value."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"required variable {name} is missing a value" + (f": {why}" if why else "")
        )


class Variable(Frozen):
    """A variable as a text mentions it."""

    name: str
    required: bool = False
    default: str = ""
    alternate: str = ""


@cache
def _pattern() -> re.Pattern[str]:
    word = "[_a-zA-Z][_a-zA-Z0-9]*"
    braced = rf"(?P<open>\{{)(?:(?P<braced>{word})(?P<mark>\}}|:?[-+?])?)?"
    return re.compile(rf"\$(?:(?P<escaped>\$)|(?P<named>{word})|{braced})")


class _Text:
    """A text that is read from left to right: each line's last brace is looked for once."""

    __slots__ = ("_last", "_line_end", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._line_end = -1
        self._last = -1

    def end(self, found: re.Match[str]) -> int:
        """Give where a variable in braces ends; 0 where it does not.

        What opens on a line closes on it. What follows an opening brace is not looked at, as in
        docker compose.
        """
        text, start = self.text, found.start()
        if found["mark"] == "}":
            return found.end()
        if not found["mark"]:
            return 0
        if found.end() > self._line_end:
            ending = text.find("\n", found.end())
            self._line_end = len(text) if ending < 0 else ending
            self._last = text.rfind("}", found.end(), self._line_end)
        if self._last < found.end():
            return 0
        depth = skipped = 0
        for brace in _braces().finditer(text, start, self._last + 1):
            if brace.start() == skipped:
                continue
            if brace[0] == "}":
                depth -= 1
                if depth == 0:
                    return brace.end()
            else:
                depth += 1
                skipped = brace.end()
        return self._last + 1


@cache
def _braces() -> re.Pattern[str]:
    return re.compile("[{}]")


def unset_warning(name: str) -> str:
    """Say that a variable has no value, as docker compose does."""
    return f'The "{name}" variable is not set. Defaulting to a blank string.'


def substitute(text: str, lookup: Lookup, on_unset: OnUnset | None = None) -> str:
    """Put values in; ``unset`` is told of variables that have none and no default.

    Raises `TemplateInvalid`, `TextTooLong`, `VariableMissing`.
    """
    if "$" not in text:
        return text
    return _substitute(text, lookup, on_unset, 0)


def _substitute(text: str, lookup: Lookup, on_unset: OnUnset | None, depth: int) -> str:
    if "$" not in text:
        return text
    if depth > MAX_DEPTH:
        raise TemplateInvalid(text)
    reading = _Text(text)
    parts: list[str] = []
    at = length = 0
    while (found := _pattern().search(text, at)) is not None:
        parts.append(text[at : found.start()])
        at = found.end()
        if found["escaped"]:
            parts.append("$")
        elif found["named"]:
            parts.append(_value(found["named"], lookup, on_unset))
        elif found["mark"] == "}":
            parts.append(_value(found["braced"], lookup, on_unset))
        else:
            at = reading.end(found)
            if not at:
                raise TemplateInvalid(text)
            inner = text[found.start() + 2 : at - 1]
            parts.append(_braced(inner, lookup, on_unset, depth))
        length += len(parts[-1]) + len(parts[-2])
        if length > MAX_LENGTH:
            raise TextTooLong
    parts.append(text[at:])
    return "".join(parts)


def _value(name: str, lookup: Lookup, on_unset: OnUnset | None) -> str:
    value = lookup(name)
    if value is None and on_unset is not None:
        on_unset(name)
    return value or ""


def split_expression(inner: str) -> tuple[str, str, str]:
    """Split what stands in braces into name, operator and the rest."""
    found = [(at, -len(word), word) for word in OPERATORS if (at := inner.find(word)) >= 0]
    if not found:
        return inner, "", ""
    at, _, word = min(found)
    return inner[:at], word, inner[at + len(word) :]


def _braced(inner: str, lookup: Lookup, on_unset: OnUnset | None, depth: int) -> str:
    name, operator, rest = split_expression(inner)
    if not operator:
        return _value(name, lookup, on_unset)
    rest = _substitute(rest, lookup, on_unset, depth + 1)
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


def find_variables(text: str, depth: int = 0) -> Iterator[Variable]:
    """Give the variables that a text mentions, those in defaults too."""
    if depth > MAX_DEPTH:
        return
    reading, at = _Text(text), 0
    while "$" in text and (found := _pattern().search(text, at)) is not None:
        at = found.end()
        if found["named"]:
            yield Variable(name=found["named"])
        elif found["open"] and (end := reading.end(found)):
            at = end
            name, operator, rest = split_expression(text[found.start() + 2 : at - 1])
            yield Variable(
                name=name,
                required="?" in operator,
                default=rest if "-" in operator else "",
                alternate=rest if "+" in operator else "",
            )
            yield from find_variables(rest, depth + 1)
