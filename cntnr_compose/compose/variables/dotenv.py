"""Parse env files in docker compose's syntax."""

import re
from collections.abc import Mapping
from functools import cache
from typing import NoReturn

from cntnr_compose.compose.variables.syntax import Lookup, OnUnset, substitute

BLANKS = "\t\v\f\r \x85\xa0"
IN_NAMES = frozenset("_.-[]")
ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class EnvFileInvalid(ValueError):
    """A line of an env file is invalid."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")


class UnterminatedQuote(EnvFileInvalid):
    """A quoted value has no closing quote."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(line, f"unterminated quoted value {text}")


@cache
def _escape_pattern() -> re.Pattern[str]:
    return re.compile(r'\\(?:[abcfnrtv$"\\]|0\d{0,3})')


def parse_dotenv(
    text: str,
    lookup: Lookup,
    known: Mapping[str, str] | None = None,
    on_unset: OnUnset | None = None,
) -> dict[str, str]:
    """Parse an env file; variables in it come from ``lookup``, else from the file, else from ``known``.

    Raises `EnvFileInvalid`, and the errors of `substitute`.
    """
    return _Parser(text.removeprefix("\ufeff"), lookup, known or {}, on_unset).parse()


def parse_raw_dotenv(text: str, lookup: Lookup) -> dict[str, str]:
    """Parse an env file of ``format: raw``: a value is all after ``=``; without ``=`` it is from ``lookup``.

    Raises `EnvFileInvalid`.
    """
    variables: dict[str, str] = {}
    for number, raw_line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = raw_line.removesuffix("\r").lstrip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not name:
            raise EnvFileInvalid(number, f"no variable name on line '{line}'")
        if " " in name or "\t" in name:
            raise EnvFileInvalid(number, f"variable '{name}' contains whitespaces")
        known = value if equals else lookup(name)
        if known is not None:
            variables[name] = known
    return variables


def line_numbers(text: str, *, raw: bool = False) -> dict[str, int]:
    """Map each name of a valid env file to the line that sets it."""
    if raw:
        names = (line.partition("=")[0].strip() for line in text.removeprefix("\ufeff").split("\n"))
        return {name: number for number, name in enumerate(names, 1)}
    parser = _Parser(text.removeprefix("\ufeff"), lambda _: "x", {}, None)
    parser.parse()
    return {name: parser.line_number(start) for name, start in parser.statement_starts.items()}


class _Parser:
    def __init__(
        self, text: str, lookup: Lookup, known: Mapping[str, str], on_unset: OnUnset | None
    ) -> None:
        self._text = text
        self._on_unset = on_unset
        self._lookup = lookup
        self._known = known
        self._variables: dict[str, str] = {}
        self._at = 0
        self.statement_starts: dict[str, int] = {}  # offset in the text, by name

    def parse(self) -> dict[str, str]:
        while self._next_statement():
            start = self._at
            name, is_bare = self._parse_name()
            self.statement_starts[name] = start
            if is_bare:
                value = self._lookup(name)
                if value is not None:
                    self._variables[name] = value
            else:
                self._variables[name] = self._parse_value()
        return self._variables

    def _next_statement(self) -> bool:
        """Move to the next statement, past blank lines and comments; return whether there is one."""
        text, end = self._text, len(self._text)
        while self._at < end:
            if text[self._at].isspace():
                self._at += 1
            elif text[self._at] == "#":
                self._at = _next_line(text, self._at)
            else:
                return True
        return False

    def _parse_name(self) -> tuple[str, bool]:
        """Parse a name, and return whether it is bare: without ``=`` or ``:`` behind it."""
        text = self._text
        export = re.compile(r"export\s+").match(text, self._at)
        start = self._skip_blanks(self._at + len("export")) if export else self._at
        at, end = start, len(text)
        if at == end:
            self._fail("zero length string")
        while at < end:
            letter = text[at]
            if letter in "=:\n":
                name = text[start:at].rstrip()
                self._at = self._skip_blanks(at + 1)
                if " " in name:
                    self._fail("key cannot contain a space")
                return name, letter == "\n"
            if not (letter in BLANKS or letter in IN_NAMES or letter.isalnum()):
                line = text[start:].split("\n", 1)[0]
                self._fail(f'unexpected character "{letter}" in variable name "{line}"', at)
            at += 1
        self._at = (
            start  # to docker compose, a last line without a line end is a value without a name
        )
        return "", False

    def _skip_blanks(self, at: int) -> int:
        while at < len(self._text) and self._text[at] in BLANKS:
            at += 1
        return at

    def _parse_value(self) -> str:
        text = self._text
        quote = text[self._at : self._at + 1]
        if quote in ("'", '"'):
            value = self._parse_quoted(quote)
            return value if quote == "'" else self._expand(_unescape(value))
        end = text.find("\n", self._at)
        line = text[self._at :] if end < 0 else text[self._at : end]
        self._at = len(text) if end < 0 else end + 1
        return self._expand(line.partition(" #")[0].rstrip())

    def _parse_quoted(self, quote: str) -> str:
        """Parse a quoted text; of the escapes only that of the quote itself is resolved."""
        text, start = self._text, self._at
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
                return "".join(letters)
            letters.append(letter)
            at += 1
        raise UnterminatedQuote(self.line_number(start), text[start:].split("\n", 1)[0])

    def _expand(self, value: str) -> str:
        def lookup(name: str) -> str | None:
            value = self._lookup(name)
            if value is None:
                value = self._variables.get(name)
            return self._known.get(name) if value is None else value

        return substitute(value, lookup, self._on_unset)

    def _fail(self, what: str, at: int | None = None) -> NoReturn:
        raise EnvFileInvalid(self.line_number(self._at if at is None else at), what)

    def line_number(self, at: int) -> int:
        """Return the line of an offset in the text."""
        return self._text.count("\n", 0, at) + 1


def _next_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text

    def replacement(match: re.Match[str]) -> str:
        word = match[0][1:]
        if word == "$":
            return "$$"  # `substitute` makes one dollar of it
        if word[0] == "0":
            return (
                chr(int(word[1:], 8))
                if re.fullmatch("[0-3][0-7]{2}", word[1:])
                else "\\" + word[1:]
            )
        if word in ('"', "\\"):
            return word
        return ESCAPES.get(word, match[0])

    return _escape_pattern().sub(replacement, text)
