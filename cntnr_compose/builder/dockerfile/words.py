"""Split lines of a Dockerfile into words, and expand the variables in them."""

import re
from collections.abc import Mapping

from cntnr_compose.builder.dockerfile.values.shell_patterns import PatternInvalid, ShellPattern

NAME = re.compile(r"[^\W\d]\w*|[0-9]+|[@*#?!$-]")
ESCAPABLE = '"$'
MAX_DEPTH = 50  # of variables within the ${…} of another
MAX_LENGTH = 8 << 20  # of what is filled in: a variable may be built of itself, again and again


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
        raise WordInvalid(text, f"unexpected end of statement: a {quote} has no end")
    return (*words, word) if word else tuple(words)


def expand_word(
    word: str, values: Mapping[str, str], escape: str = "\\", *, keep_quotes: bool = False
) -> str:
    """Expand variables, and remove quotes and escapes. Raises `WordInvalid`.

    In the text of a heredoc quotes have no meaning: ``keep_quotes``.
    """
    return _Expansion(word, values, escape, keep_quotes=keep_quotes).read_until("")


class _Expansion:
    """One pass over a word."""

    def __init__(
        self, text: str, values: Mapping[str, str], escape: str, *, keep_quotes: bool
    ) -> None:
        self.text, self.values, self.escape = text, values, escape
        self.keep_quotes = keep_quotes
        self.at, self.depth, self.length = 0, 0, 0

    def read_until(self, end: str, *, keep_escapes: bool = False) -> str:
        """Read up to the character ``end``, which is consumed, or to the end of the word."""
        out: list[str] = []
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise WordInvalid(self.text[:40], "too many ${ within each other")
        while self.at < len(self.text):
            char = self._next()
            if end and char == end:
                self.depth -= 1
                return "".join(out)
            out.append(self._read_part(char, keep_escapes=keep_escapes))
            self._count(out[-1])
        if end:
            raise WordInvalid(self.text, f"syntax error: missing '{end}'")
        self.depth -= 1
        return "".join(out)

    def _count(self, part: str) -> None:
        """Add to the length of the result. Raises `WordInvalid` where it gets too long."""
        self.length += len(part)
        if self.length > MAX_LENGTH:
            raise WordInvalid(self.text[:40], "it becomes too long")

    def _read_part(self, char: str, *, keep_escapes: bool) -> str:
        if char == "'" and not self.keep_quotes:
            return self._read_single_quoted()
        if char == '"' and not self.keep_quotes:
            return self._read_double_quoted(keep_escapes=keep_escapes)
        if char == "$":
            return self._read_variable()
        if char == self.escape:
            kept = char if keep_escapes else ""
            return kept + (self._next() if self.at < len(self.text) else "")
        return char

    def _next(self) -> str:
        self.at += 1
        return self.text[self.at - 1]

    def _read_single_quoted(self) -> str:
        end = self.text.find("'", self.at)
        if end < 0:
            raise WordInvalid(self.text, "unexpected end of statement: a ' has no end")
        content = self.text[self.at : end]
        self.at = end + 1
        return content

    def _read_double_quoted(self, *, keep_escapes: bool) -> str:
        out: list[str] = []
        while self.at < len(self.text):
            char = self._next()
            if char == '"':
                return "".join(out)
            if char == "$":
                out.append(self._read_variable())
                self._count(out[-1])
            elif char == self.escape:
                if keep_escapes:
                    out.append(char)
                is_escaped = self.text[self.at : self.at + 1] in (*ESCAPABLE, self.escape)
                out.append(self._next() if is_escaped else char)
            else:
                out.append(char)
        raise WordInvalid(self.text, 'unexpected end of statement: a " has no end')

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
            raise WordInvalid(self.text, "syntax error: bad substitution")
        self.at = match.end()
        name, value = match.group(), self.values.get(match.group())
        if self.at >= len(self.text):
            raise WordInvalid(self.text, "syntax error: missing '}'")
        sign = self._next()
        if sign == "}":
            return value or ""
        empty_is_unset = sign == ":"
        if empty_is_unset:
            sign = self._next() if self.at < len(self.text) else ""
        if sign in ("#", "%"):
            return self._remove_affix(sign, value or "")
        if sign == "/" and not empty_is_unset:
            return self._replace_pattern(value or "")
        if sign not in ("-", "+", "?") or not sign:
            modifier = f"{':' if empty_is_unset else ''}{sign}"
            raise WordInvalid(self.text, f"unsupported modifier ({modifier}) in substitution")
        rest = self.read_until("}")
        is_unset = value is None or (empty_is_unset and not value)
        if sign == "?" and is_unset:
            missing = "unset" if value is None else "empty"
            raise WordInvalid(name, rest or f"is not allowed to be {missing}")
        if sign == "+":
            return "" if is_unset else rest
        return rest if is_unset else value or ""

    def _remove_affix(self, sign: str, value: str) -> str:
        """Remove a prefix or suffix that matches a pattern: ``${V#pattern}``, ``${V%pattern}``."""
        word = self.read_until("}", keep_escapes=True)
        longest = word.startswith(sign)
        pattern = self._pattern(word[1:] if longest else word)
        if sign == "#":
            return value[pattern.prefix_end(value, longest=longest) :]
        return value[: pattern.suffix_start(value, longest=longest)]

    def _replace_pattern(self, value: str) -> str:
        """Replace what matches a pattern: ``${V/pattern/new}``."""
        everywhere = self.text[self.at : self.at + 1] == "/"
        self.at += everywhere
        pattern = self._pattern(self.read_until("/", keep_escapes=True))
        new = self.read_until("}", keep_escapes=True)
        return pattern.replace(value, new, everywhere=everywhere)

    def _pattern(self, word: str) -> ShellPattern:
        try:
            return ShellPattern(word)
        except PatternInvalid as error:
            raise WordInvalid(self.text, f"invalid pattern ({word}): {error}") from error


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
