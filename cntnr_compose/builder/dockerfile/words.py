"""Split lines of a Dockerfile into words, and expand the variables in them."""

import re
from collections.abc import Mapping

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?!$-]")
ESCAPABLE = '"$'


class WordInvalid(ValueError):
    """A word breaks the rules; the caller knows the file and the line."""

    def __init__(self, word: str, why: str) -> None:
        super().__init__(f"{word}: {why}")


def split_words(text: str, escape: str = "\\") -> tuple[str, ...]:
    """Split a line at blanks that are neither quoted nor escaped; quotes stay, `expand_word` removes them.

    Raises `WordInvalid`.
    """
    words: list[str] = []
    word, quote, at = "", "", 0
    while at < len(text):
        char = text[at]
        if char == escape and quote != "'" and at + 1 < len(text):
            word += text[at : at + 2]
            at += 2
            continue
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char.isspace():
            if word:
                words.append(word)
            word, at = "", at + 1
            continue
        word += char
        at += 1
    if quote:
        raise WordInvalid(text, f"a {quote} has no end")
    return (*words, word) if word else tuple(words)


def expand_word(word: str, values: Mapping[str, str], escape: str = "\\") -> str:
    """Expand variables, and remove quotes and escapes. Raises `WordInvalid`."""
    return _Expansion(word, values, escape).read_until("")


class _Expansion:
    """One pass over a word."""

    def __init__(self, text: str, values: Mapping[str, str], escape: str) -> None:
        self.text, self.values, self.escape = text, values, escape
        self.at = 0

    def read_until(self, end: str) -> str:
        """Read up to one of the characters in ``end``, which is consumed, or to the end of the word."""
        out: list[str] = []
        while self.at < len(self.text):
            char = self._next()
            if end and char in end:
                return "".join(out)
            if char == "'":
                out.append(self._read_single_quoted())
            elif char == '"':
                out.append(self._read_double_quoted())
            elif char == "$":
                out.append(self._read_variable())
            elif char == self.escape and self.at < len(self.text):
                out.append(self._next())
            else:
                out.append(char)
        if end:
            raise WordInvalid(self.text, f"a {end} is missing")
        return "".join(out)

    def _next(self) -> str:
        self.at += 1
        return self.text[self.at - 1]

    def _read_single_quoted(self) -> str:
        end = self.text.find("'", self.at)
        if end < 0:
            raise WordInvalid(self.text, "a ' has no end")
        content = self.text[self.at : end]
        self.at = end + 1
        return content

    def _read_double_quoted(self) -> str:
        out: list[str] = []
        while self.at < len(self.text):
            char = self._next()
            if char == '"':
                return "".join(out)
            if char == "$":
                out.append(self._read_variable())
            elif char == self.escape and self.text[self.at : self.at + 1] in (
                *ESCAPABLE,
                self.escape,
            ):
                out.append(self._next())
            else:
                out.append(char)
        raise WordInvalid(self.text, 'a " has no end')

    def _read_variable(self) -> str:
        if self.text[self.at : self.at + 1] == "{":
            self.at += 1
            return self._read_braces()
        match = NAME.match(self.text, self.at)
        if match is None:
            return "$"
        self.at = match.end()
        return self.values.get(match.group(), "")

    def _read_braces(self) -> str:
        """Expand ``${…}``."""
        match = NAME.match(self.text, self.at)
        if match is None:
            raise WordInvalid(self.text, "${ must be followed by the name of a variable")
        self.at = match.end()
        name, value = match.group(), self.values.get(match.group())
        if self.at >= len(self.text):
            raise WordInvalid(self.text, f"${{{name} has no closing brace")
        sign = self._next()
        if sign == "}":
            return value or ""
        if sign == ":":
            sign = self._next() if self.at < len(self.text) else ""
            value = value or None
        if sign in ("#", "%"):
            return self._remove_affix(sign, value or "")
        if sign == "/":
            return self._replace_pattern(value or "")
        rest = self.read_until("}")
        if sign == "-":
            return rest if value is None else value
        if sign == "+":
            return "" if value is None else rest
        if sign == "?" and value is None:
            raise WordInvalid(name, rest or "is not set")
        if sign == "?":
            return value or ""
        raise WordInvalid(self.text, f"${{{name}{sign}…}} is not supported")

    def _remove_affix(self, sign: str, value: str) -> str:
        """Remove a prefix or suffix that matches a pattern: ``${V#pattern}``, ``${V%pattern}``."""
        greedy = self.text[self.at : self.at + 1] == sign
        self.at += greedy
        pattern = _regex(self.read_until("}"))
        lengths = range(len(value) + 1)
        for length in reversed(lengths) if greedy else lengths:
            cut = len(value) - length
            part, rest = (
                (value[:length], value[length:]) if sign == "#" else (value[cut:], value[:cut])
            )
            if re.fullmatch(pattern, part, re.DOTALL):
                return rest
        return value

    def _replace_pattern(self, value: str) -> str:
        """Replace what matches a pattern: ``${V/pattern/new}``."""
        everywhere = self.text[self.at : self.at + 1] == "/"
        self.at += everywhere
        pattern = _regex(self.read_until("/"))
        new = self.read_until("}")
        return re.sub(pattern, lambda _: new, value, count=0 if everywhere else 1, flags=re.DOTALL)


def _regex(pattern: str) -> str:
    """Translate the ``*`` and ``?`` of a shell pattern into a regular expression."""
    return "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)


def required_variables(text: str, escape: str = "\\") -> tuple[str, ...]:
    """List the variables that a text expands without ``-`` or ``+``: the author counts on their values."""
    names: dict[str, None] = {}
    at, is_quoted = 0, False
    while at < len(text):
        char = text[at]
        at += 1
        if char == '"':
            is_quoted = not is_quoted
        elif char == escape:
            at += 1
        elif char == "'" and not is_quoted:
            end = text.find("'", at)
            at = len(text) if end < 0 else end + 1
        elif char == "$":
            has_brace = text[at : at + 1] == "{"
            match = NAME.match(text, at + has_brace)
            if match is not None:
                at = match.end()
                is_guarded = has_brace and text[at : at + 2].lstrip(":")[:1] in ("-", "+")
                if not is_guarded:
                    names[match.group()] = None
    return tuple(names)
