"""Plain command lines, read without click, whose import is a third of what a small `config` takes.

What is not plain is left to click: help, mistakes, letters run together, switches with a value. Both read by
the same rows, and a test holds that they read the same.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from cntnr_compose.cli.parser import registry as compose
from cntnr_compose.cli.parser.options import (
    COMPOSE_OPTIONS,
    Argument,
    Command,
    Option,
    ValueKind,
    pop_shared_options,
)

Values: TypeAlias = dict[str, Any]


class NeedsClick(Exception):
    """A command line is click's to read."""


def parse(words: Sequence[str]) -> tuple[Command, Values, Values] | None:
    """Give the verb, what was said before it, and what after it; None where the line is not plain."""
    try:
        return _parse(words)
    except NeedsClick:
        return None


def _parse(words: Sequence[str]) -> tuple[Command, Values, Values]:
    if not words or words[0] != "compose":
        raise NeedsClick
    before, rest = _parse_options(COMPOSE_OPTIONS, words[1:], mixed=False)
    verb = compose.find_command(rest[0]) if rest else None
    if verb is None:
        raise NeedsClick
    given, found = _parse_options(
        [*verb.options, *verb.shared_options()], rest[1:], mixed=verb.interspersed
    )
    return verb, pop_shared_options(before), given | _parse_arguments(verb.arguments, found)


def _parse_options(
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
            raise NeedsClick
        if row.is_flag:
            values[row.name] = True
            continue
        value = value if equals else next(coming, "--")
        if value.startswith("--"):
            raise NeedsClick  # more likely an option than the value of this one
        said = _parse_value(row.kind, value)
        values[row.name] = (*values[row.name], said) if row.multiple else said
    return values, left


def _parse_arguments(rows: Iterable[Argument], words: list[str]) -> Values:
    values: Values = {}
    for row in rows:
        mine = words if row.many else words[:1]
        words = words[len(mine) :]
        if row.required and not mine:
            raise NeedsClick
        said = tuple(_parse_value(row.kind, one) for one in mine)
        values[row.name] = said if row.many else said[0]
    if words:
        raise NeedsClick
    return values


def _parse_value(kind: ValueKind, word: str) -> Any:
    if kind is str:
        return word
    if isinstance(kind, tuple):
        if word in kind:
            return word
    elif word.isdecimal() and (not isinstance(kind, range) or int(word) in kind):
        return int(word)
    raise NeedsClick
