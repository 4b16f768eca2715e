"""Plain command lines, read without click, whose import is a third of what a small `config` takes.

What is not plain is left to click: help, mistakes, letters run together, switches with a value. Both read by
the same rows, and a test holds that they read the same.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from cntnr_compose.cli.parser import registry as compose
from cntnr_compose.cli.parser.options import COMPOSE, Argument, Kind, Option, Verb, taken_out

Values: TypeAlias = dict[str, Any]


class NotPlain(Exception):
    """A command line is click's to read."""


def read(words: Sequence[str]) -> tuple[Verb, Values, Values] | None:
    """Give the verb, what was said before it, and what after it; None where the line is not plain."""
    try:
        return _read(words)
    except NotPlain:
        return None


def _read(words: Sequence[str]) -> tuple[Verb, Values, Values]:
    if not words or words[0] != "compose":
        raise NotPlain
    before, rest = _options(COMPOSE, words[1:], mixed=False)
    verb = compose.find(rest[0]) if rest else None
    if verb is None:
        raise NotPlain
    given, found = _options([*verb.options, *verb.everyones()], rest[1:], mixed=verb.mixed)
    return verb, taken_out(before), given | _arguments(verb.arguments, found)


def _options(
    rows: Iterable[Option], words: Sequence[str], *, mixed: bool
) -> tuple[Values, list[str]]:
    """Give the options' values, and the words that are left."""
    values: Values = {row.name: row.default for row in rows if row.refused is None}
    known = {word: row for row in rows if row.name in values for word in row.words}
    left = []
    coming = iter(words)
    for word in coming:
        if word == "-" or not word.startswith("-"):
            left.append(word)
            if not mixed:
                left.extend(coming)
            continue
        name, equals, value = word.partition("=")
        row = known.get(name)
        if row is None or (equals and (row.is_flag or not name.startswith("--"))):
            raise NotPlain
        if row.is_flag:
            values[row.name] = True
            continue
        value = value if equals else next(coming, "--")
        if value.startswith("--"):
            raise NotPlain  # more likely an option than the value of this one
        said = _value(row.kind, value)
        values[row.name] = (*values[row.name], said) if row.multiple else said
    return values, left


def _arguments(rows: Iterable[Argument], words: list[str]) -> Values:
    values: Values = {}
    for row in rows:
        mine = words if row.many else words[:1]
        words = words[len(mine) :]
        if row.required and not mine:
            raise NotPlain
        said = tuple(_value(row.kind, one) for one in mine)
        values[row.name] = said if row.many else said[0]
    if words:
        raise NotPlain
    return values


def _value(kind: Kind, word: str) -> Any:
    if kind is str:
        return word
    if isinstance(kind, tuple):
        if word in kind:
            return word
    elif word.isdecimal() and (not isinstance(kind, range) or int(word) in kind):
        return int(word)
    raise NotPlain
