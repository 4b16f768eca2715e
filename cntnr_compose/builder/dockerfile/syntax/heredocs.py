"""Find the heredocs that a line begins: ``<<NAME``, ``<<-NAME``, ``<<"NAME"``; and read their texts."""

import re
from typing import NamedTuple

from cntnr_compose.builder.dockerfile.words import WordInvalid, expand_word, split_words

BARE_MARK = re.compile(r"\d*<<-?")
MARK = re.compile(r"(\d*)<<(-?)\s*([^<]+)")


class HeredocMark(NamedTuple):
    """What announces a heredoc."""

    name: str
    is_trimmed: bool  # tabs before its lines are removed
    is_literal: bool  # its name was quoted: variables are not expanded
    has_blank: bool = False  # between << and the name: it could be a shift of bits


def find_heredocs(text: str) -> list[HeredocMark]:
    """Find the heredocs that a line begins."""
    try:
        words = list(split_words(text))
    except WordInvalid:
        return []  # a shell may have other rules for quotes; a heredoc is not in quotes
    marks = []
    for number, word in enumerate(words):
        is_bare = BARE_MARK.fullmatch(word) is not None and number + 1 < len(words)
        mark = read_mark(word + words[number + 1] if is_bare else word)
        if mark is not None:
            marks.append(mark._replace(has_blank=is_bare))
    return marks


def read_mark(word: str) -> HeredocMark | None:
    """Read ``<<NAME``; None where a word is something else."""
    match = MARK.fullmatch(word)
    if match is None:
        return None
    raw = match.group(3)
    try:
        name = expand_word(raw, {})
    except WordInvalid:
        return None
    if not name:
        name = raw  # of a variable: it is not expanded
    is_literal = any(name.count(quote) != raw.count(quote) for quote in "\"'")
    return HeredocMark(name if is_literal else raw, bool(match.group(2)), is_literal)


def read_text(mark: HeredocMark, lines: list[str], at: int) -> tuple[str, int] | None:
    """Read lines up to the name of a heredoc; return the text and the index behind it.

    None where that line is missing.
    """
    body: list[str] = []
    for number in range(at, len(lines)):
        current = lines[number].lstrip("\t") if mark.is_trimmed else lines[number]
        if current == mark.name:
            return "".join(body), number + 1
        body.append(current + "\n")
    return None
