"""Env files: docker compose's own syntax, to names and values."""

import re
from collections.abc import Mapping
from functools import cache
from typing import NoReturn

from cntnr_compose.compose.variables.syntax import Lookup, OnUnset, substitute

BLANKS = "\t\v\f\r \x85\xa0"
IN_NAMES = frozenset("_.-[]")
ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class EnvFileInvalid(ValueError):
    """A line of an env file cannot be read."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")


class UnterminatedQuote(EnvFileInvalid):
    """A value begins with a quote that nothing closes."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(line, f"unterminated quoted value {text}")


@cache
def _escape() -> re.Pattern[str]:
    return re.compile(r'\\(?:[abcfnrtv$"\\]|0\d{0,3})')


def parse_dotenv(
    text: str,
    lookup: Lookup,
    known: Mapping[str, str] | None = None,
    on_unset: OnUnset | None = None,
) -> dict[str, str]:
    """Read an env file; ``lookup`` is asked first for what values mention, then the file and ``known``.

    Raises `EnvFileInvalid`, and the errors of `substitute`.
    """
    return _Parser(text.removeprefix("\ufeff"), lookup, known or {}, on_unset).parse()


def parse_raw_dotenv(text: str, lookup: Lookup) -> dict[str, str]:
    """Read an env file of ``format: raw``: a value is all that follows ``=``, else what ``lookup`` has.

    Raises `EnvFileInvalid`.
    """
    found: dict[str, str] = {}
    for number, ended in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = ended.removesuffix("\r").lstrip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not name:
            raise EnvFileInvalid(number, f"no variable name on line '{line}'")
        if " " in name or "\t" in name:
            raise EnvFileInvalid(number, f"variable '{name}' contains whitespaces")
        given = value if equals else lookup(name)
        if given is not None:
            found[name] = given
    return found


def line_numbers(text: str, *, raw: bool = False) -> dict[str, int]:
    """Give the line that says each name of an env file that can be read."""
    if raw:
        names = (line.partition("=")[0].strip() for line in text.removeprefix("\ufeff").split("\n"))
        return {name: number for number, name in enumerate(names, 1)}
    parser = _Parser(text.removeprefix("\ufeff"), lambda _: "x", {}, None)
    parser.parse()
    return {name: parser.line_number(begin) for name, begin in parser.statement_starts.items()}


class _Parser:
    def __init__(
        self, text: str, lookup: Lookup, known: Mapping[str, str], unset: OnUnset | None
    ) -> None:
        self._text = text
        self._unset = unset
        self._lookup = lookup
        self._known = known
        self._found: dict[str, str] = {}
        self._at = 0
        self.statement_starts: dict[str, int] = {}  # where the statement of each name does

    def parse(self) -> dict[str, str]:
        while self._next_statement():
            begin = self._at
            name, passed_on = self._name()
            self.statement_starts[name] = begin
            if passed_on:
                value = self._lookup(name)
                if value is not None:
                    self._found[name] = value
            else:
                self._found[name] = self._value()
        return self._found

    def _next_statement(self) -> bool:
        """Go to where the next statement begins, past blank lines and comments."""
        text, end = self._text, len(self._text)
        while self._at < end:
            if text[self._at].isspace():
                self._at += 1
            elif text[self._at] == "#":
                self._at = _after(text, self._at)
            else:
                return True
        return False

    def _name(self) -> tuple[str, bool]:
        text = self._text
        found = re.compile(r"export\s+").match(text, self._at)
        start = self._skip(self._at + len("export")) if found else self._at
        at, end = start, len(text)
        if at == end:
            self._fail("zero length string")
        while at < end:
            letter = text[at]
            if letter in "=:\n":
                name = text[start:at].rstrip()
                self._at = self._skip(at + 1)
                if " " in name:
                    self._fail("key cannot contain a space")
                return name, letter == "\n"
            if not (letter in BLANKS or letter in IN_NAMES or letter.isalnum()):
                line = text[start:].split("\n", 1)[0]
                self._fail(f'unexpected character "{letter}" in variable name "{line}"', at)
            at += 1
        self._at = start  # a last line without an end is, to docker compose, the value of no name
        return "", False

    def _skip(self, at: int) -> int:
        while at < len(self._text) and self._text[at] in BLANKS:
            at += 1
        return at

    def _value(self) -> str:
        text = self._text
        quote = text[self._at : self._at + 1]
        if quote not in ("'", '"'):
            end = text.find("\n", self._at)
            line = text[self._at :] if end < 0 else text[self._at : end]
            self._at = len(text) if end < 0 else end + 1
            return self._expand(line.partition(" #")[0].rstrip())
        start = self._at
        letters: list[str] = []
        at, end = start + 1, len(text)
        while at < end:
            letter = text[at]
            if letter == "\\" and at + 1 < end:
                after = text[at + 1]
                letters.append(after if after == quote else letter + after)
                at += 2
                continue
            if letter == quote:
                self._at = at + 1
                value = "".join(letters)
                return value if quote == "'" else self._expand(_unescape(value))
            letters.append(letter)
            at += 1
        raise UnterminatedQuote(self.line_number(start), text[start:].split("\n", 1)[0])

    def _expand(self, value: str) -> str:
        def lookup(name: str) -> str | None:
            value = self._lookup(name)
            if value is None:
                value = self._found.get(name)
            return self._known.get(name) if value is None else value

        return substitute(value, lookup, self._unset)

    def _fail(self, what: str, at: int | None = None) -> NoReturn:
        raise EnvFileInvalid(self.line_number(self._at if at is None else at), what)

    def line_number(self, at: int) -> int:
        """Give the line of a place in the text."""
        return self._text.count("\n", 0, at) + 1


def _after(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text

    def put(found: re.Match[str]) -> str:
        word = found[0][1:]
        if word == "$":
            return "$$"  # a dollar that `substitute` leaves alone
        if word[0] == "0":
            return (
                chr(int(word[1:], 8))
                if re.fullmatch("[0-3][0-7]{2}", word[1:])
                else "\\" + word[1:]
            )
        if word in ('"', "\\"):
            return word
        return ESCAPES.get(word, found[0])

    return _escape().sub(put, text)
