"""Variables in a text: ``$V``, ``${V}``, ``${V:-default}``, ``${V:?message}``, ``${V:+alternate}``."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeAlias

from cntnr_compose.core.frozen import Frozen

Lookup: TypeAlias = Callable[[str], str | None]
OnUnset: TypeAlias = Callable[[str], None]

OPERATORS = (":?", "?", ":-", "-", ":+", "+")
MAX_DEPTH = 64  # of variables in defaults of variables
MAX_LENGTH = 16 << 20  # of a text after substitution, in characters
MAX_SHOWN = 200


class TemplateInvalid(ValueError):
    """A text has a ``${`` that does not begin a variable."""

    def __init__(self, text: str) -> None:
        super().__init__(text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…")


class TextTooLong(ValueError):
    """A text is too long after substitution."""

    def __init__(self) -> None:
        super().__init__(f"more than {MAX_LENGTH >> 20} MiB of text, once variables are in it")


class VariableMissing(ValueError):
    """A required variable is not set."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"required variable {name} is missing a value" + (f": {why}" if why else "")
        )


class Variable(Frozen):
    """A variable that a text uses."""

    name: str
    required: bool = False
    default: str = ""
    alternate: str = ""


@cache
def _pattern() -> re.Pattern[str]:
    word = "[_a-zA-Z][_a-zA-Z0-9]*"
    braced = rf"(?P<open>\{{)(?:(?P<braced>{word})(?P<mark>\}}|:?[-+?])?)?"
    return re.compile(rf"\$(?:(?P<escaped>\$)|(?P<named>{word})|{braced})")


@cache
def _braces() -> re.Pattern[str]:
    return re.compile("[{}]")


class _Scanner:
    """Find the ends of variables from left to right; the last brace of each line is searched once."""

    __slots__ = ("_last_brace", "_line_end", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._line_end = -1
        self._last_brace = -1

    def end(self, match: re.Match[str]) -> int:
        """Return where a variable ends, or 0 if its brace is not closed.

        A brace must be closed on its line. What follows an opening brace is not checked, as in
        docker compose.
        """
        if not match["open"] or match["mark"] == "}":
            return match.end()
        if not match["mark"]:
            return 0
        if match.end() > self._line_end:
            line_end = self.text.find("\n", match.end())
            self._line_end = len(self.text) if line_end < 0 else line_end
            self._last_brace = self.text.rfind("}", match.end(), self._line_end)
        return self._closing(match.start()) if self._last_brace >= match.end() else 0

    def _closing(self, start: int) -> int:
        """Return the end of the brace that closes the first one, or of the line's last one."""
        depth = skipped = 0
        for brace in _braces().finditer(self.text, start, self._last_brace + 1):
            if brace.start() == skipped:
                continue
            if brace[0] == "}":
                depth -= 1
                if depth == 0:
                    return brace.end()
            else:
                depth += 1
                skipped = brace.end()
        return self._last_brace + 1


def unset_warning(name: str) -> str:
    """Return docker compose's warning about a variable that is not set."""
    return f'The "{name}" variable is not set. Defaulting to a blank string.'


def substitute(text: str, lookup: Lookup, on_unset: OnUnset | None = None) -> str:
    """Replace variables by their values; call ``on_unset`` for those with neither value nor default.

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
    scanner = _Scanner(text)
    parts: list[str] = []
    at = length = 0
    while (match := _pattern().search(text, at)) is not None:
        parts.append(text[at : match.start()])
        at = scanner.end(match)
        if not at:
            raise TemplateInvalid(text)
        name = match["named"] or (match["braced"] if match["mark"] == "}" else "")
        if match["escaped"]:
            parts.append("$")
        elif name:
            parts.append(_value(name, lookup, on_unset))
        else:
            parts.append(_expand(text[match.start() + 2 : at - 1], lookup, on_unset, depth))
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
    """Split the text between braces into name, operator and the rest."""
    matches = [(at, -len(word), word) for word in OPERATORS if (at := inner.find(word)) >= 0]
    if not matches:
        return inner, "", ""
    at, _, word = min(matches)
    return inner[:at], word, inner[at + len(word) :]


def _expand(inner: str, lookup: Lookup, on_unset: OnUnset | None, depth: int) -> str:
    """Return the value of an expression between braces."""
    name, operator, rest = split_expression(inner)
    if not operator:
        return _value(name, lookup, on_unset)
    rest = _substitute(rest, lookup, on_unset, depth + 1)
    value = lookup(name)
    is_set = value is not None and (value != "" or ":" not in operator)
    match operator[-1]:
        case "?":
            if not is_set:
                raise VariableMissing(name, rest)
            return value or ""
        case "-":
            return (value or "") if is_set else rest
        case _:
            return rest if is_set else value or ""


def find_variables(text: str, depth: int = 0) -> Iterator[Variable]:
    """Yield the variables that a text uses, including those in defaults."""
    if depth > MAX_DEPTH:
        return
    scanner, at = _Scanner(text), 0
    while "$" in text and (match := _pattern().search(text, at)) is not None:
        end = scanner.end(match)
        at = end or match.end()
        if match["named"]:
            yield Variable(name=match["named"])
        elif match["open"] and end:
            name, operator, rest = split_expression(text[match.start() + 2 : at - 1])
            yield Variable(
                name=name,
                required="?" in operator,
                default=rest if "-" in operator else "",
                alternate=rest if "+" in operator else "",
            )
            yield from find_variables(rest, depth + 1)
