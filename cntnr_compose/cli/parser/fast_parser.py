"""Parse plain command lines and answer `--help`, without click, whose import is a third of a small `config`.

What is not plain is left to click: mistakes, flags with a value. Both parse by the
same rows, and a test holds that their results are equal.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from cntnr_compose.cli.parser.command_tree import ROOT
from cntnr_compose.cli.parser.options import (
    HELP,
    Argument,
    Command,
    Option,
    ValueKind,
    merge_options,
    pop_shared_options,
)
from cntnr_compose.cli.parser.tree.compose_options import list_shared_options
from cntnr_compose.cli.parser.tree.group import Group
from cntnr_compose.core.frozen import Frozen

PROGRAM = "cntnr"
Values: TypeAlias = dict[str, Any]


class NeedsClick(Exception):
    """A command line is not plain."""


class Invocation(Frozen):
    """A command with its parsed options: ``shared`` ones before its name, all others after it."""

    command: Command
    shared: Values
    arguments: Values

    def run(self) -> int:
        """Run the command and return its exit code. Raises `CntnrError`."""
        return self.command.run(self.shared, self.arguments)


class TextRequest(Frozen):
    """An option that only prints: `--help` or `--version`."""

    text: str

    def run(self) -> int:
        """Print the text. Raises `NotWritten`."""
        from cntnr_compose.cli.display import stdout

        stdout.print_line(self.text)
        return 0


def parse(words: Sequence[str]) -> Invocation | TextRequest | None:
    """Parse a command line; None where it is not plain."""
    try:
        return _parse_group(ROOT, PROGRAM, words, {})
    except NeedsClick:
        return None


def _parse_group(
    group: Group, path: str, words: Sequence[str], shared: Values
) -> Invocation | TextRequest:
    if not words:
        return TextRequest(text=_help(group, path))
    values, rest = _parse_options(group.options, words, interspersed=False)
    text = _requested_text(group.options, values, group, path)
    if text:
        return TextRequest(text=text)
    called = group.find(rest[0]) if rest else None
    if called is None:
        raise NeedsClick
    shared = merge_options(shared, pop_shared_options(values))
    path = f"{path} {rest[0]}"
    if isinstance(called, Group):
        return _parse_group(called, path, rest[1:], shared)
    return _parse_command(called, path, rest[1:], shared)


def _parse_command(
    command: Command, path: str, words: Sequence[str], shared: Values
) -> Invocation | TextRequest:
    rows = [*command.options, *list_shared_options(command)]
    values, rest = _parse_options(rows, words, interspersed=command.interspersed)
    text = _requested_text(rows, values, command, path)
    if text:
        return TextRequest(text=text)
    arguments = values | _parse_arguments(command.arguments, rest)
    return Invocation(command=command, shared=shared, arguments=arguments)


def parse_arguments(command: Command, path: str, words: Sequence[str]) -> Values | None:
    """Parse the words behind a command's name; None where they are not plain."""
    try:
        parsed = _parse_command(command, path, words, {})
    except NeedsClick:
        return None
    return parsed.arguments if isinstance(parsed, Invocation) else None


def _requested_text(
    rows: Iterable[Option], values: Values, called: Group | Command, path: str
) -> str:
    """Remove options that only print from the values, and return what is to be printed, if anything."""
    texts = [row.prints for row in rows if row.prints and values.pop(row.name)]
    if values.pop(HELP.name):
        texts.append(_help(called, path))
    if len(texts) > 1:
        raise NeedsClick
    return "".join(texts)


def _help(called: Group | Command, path: str) -> str:
    from cntnr_compose.cli.parser.help_text import help_text

    return help_text(called, path)


def _parse_options(
    rows: Iterable[Option], words: Sequence[str], *, interspersed: bool
) -> tuple[Values, list[str]]:
    """Return the values of the options and of `HELP`, and the words that are left."""
    rows = [row for row in (HELP, *rows) if row.unsupported_hint is None]
    values: Values = {row.name: row.default for row in rows}
    known = {word: row for row in rows for word in row.words}
    left = []
    remaining = list(reversed(words))
    while remaining:
        word = remaining.pop()
        if word == "-" or not word.startswith("-"):
            left.append(word)
            if not interspersed:
                return values, [*left, *reversed(remaining)]
            continue
        if word not in known and (letters := _split_letters(word, known)):
            remaining += reversed(letters)
            continue
        name, equals, text = word.partition("=")
        row = known.get(name)
        if row is None or (equals and (row.is_flag or not name.startswith("--"))):
            raise NeedsClick
        if row.is_flag:
            values[row.name] = True
            continue
        text = text if equals else remaining.pop() if remaining else "--"
        if text.startswith("--"):
            raise NeedsClick  # more likely an option than the value of this one
        value = (row.tag, text) if row.tag else _parse_value(row.kind, text)
        values[row.name] = (*values[row.name], value) if row.multiple else value
    return values, left


def _split_letters(word: str, known: Mapping[str, Option]) -> list[str]:
    """Split letters that are run together, as `-dit` and `-p80:80`; empty where they cannot be."""
    letters: list[str] = []
    for place, letter in enumerate(word[1:], 1):
        row = known.get(f"-{letter}")
        if row is None or word.startswith("--"):
            return []
        letters.append(f"-{letter}")
        if not row.is_flag:
            value = word[place + 1 :]
            return [] if not value or value.startswith(("=", "-")) else [*letters, value]
    return letters if len(letters) > 1 else []


def _parse_arguments(rows: Iterable[Argument], words: list[str]) -> Values:
    values: Values = {}
    for row in rows:
        own = words if row.many else words[:1]
        words = words[len(own) :]
        if row.required and not own:
            raise NeedsClick
        parsed = tuple(_parse_value(row.kind, word) for word in own)
        values[row.name] = parsed if row.many else next(iter(parsed), None)
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
