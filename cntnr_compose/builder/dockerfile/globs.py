"""Patterns with ``*``, ``**``, ``?`` and ``[…]`` as docker reads them, matched in linear time.

Whoever writes a pattern also chooses the names that it is tried on. So nothing is ever tried again: all
places of the pattern that a beginning of the path can lead to are followed at once, and what each set of
places becomes by a character is remembered.
"""

import re
from collections.abc import Callable, Iterator

CharacterTest = Callable[[str], bool]
MAX_STATES = 500  # that are remembered; then all are forgotten
_ITEM = re.compile(r"\\?(.)(?:-\\?(.))?", re.DOTALL)


class _EmptySet(Exception):
    """A ``[…]`` that no character fits, such as ``[z-a]``."""


class _State(dict[str, "_State"]):
    """Places of a pattern that a beginning of a path leads to; by character, where it goes on."""

    def __init__(self, places: frozenset[int], end: int) -> None:
        super().__init__()
        self.places = places
        self.is_end = end in places


class GlobPattern:
    """One pattern, ready to be tried."""

    def __init__(self, text: str) -> None:
        self._parts: list[
            tuple[CharacterTest, bool]
        ] = []  # what a character must be; whether any number may
        self._skips: dict[int, int] = {}  # what may be left out: from which part, up to which
        try:
            self._read(text)
        except _EmptySet:  # the pattern fits nothing but itself
            self._parts = [(char.__eq__, False) for char in text]
            self._skips = {}
        self._states: dict[frozenset[int], _State] = {}
        self._start = self._state({0})

    def matches(self, path: str) -> bool:
        """Tell whether a whole path fits."""
        state = self._start
        for char in path:
            ahead = state.get(char)
            state = self._step(state, char) if ahead is None else ahead
            if not state.places:
                return False
        return state.is_end

    def matches_path_or_parent(self, path: str) -> bool:
        """Tell whether a path fits, or one of the folders that it is in."""
        state = self._start
        for char in path:
            if char == "/" and state.is_end:
                return True
            ahead = state.get(char)
            state = self._step(state, char) if ahead is None else ahead
            if not state.places:
                return False
        return state.is_end

    def _step(self, state: _State, char: str) -> _State:
        ahead = set()
        for at in state.places:
            if at < len(self._parts):
                fits, repeats = self._parts[at]
                if fits(char):
                    ahead.add(at if repeats else at + 1)
        state[char] = found = self._state(ahead)
        return found

    def _state(self, places: set[int]) -> _State:
        """Add the places that are reached without another character, and give the state."""
        ahead, reached = list(places), set()
        while ahead:
            at = ahead.pop()
            if at in reached:
                continue
            reached.add(at)
            if at < len(self._parts) and self._parts[at][1]:
                ahead.append(at + 1)
            if at in self._skips:
                ahead.append(self._skips[at])
        if len(self._states) >= MAX_STATES:
            self._states.clear()
            self._start.clear()
        key = frozenset(reached)
        return self._states.setdefault(key, _State(key, len(self._parts)))

    def _read(self, text: str) -> None:
        at = 0
        while at < len(text):
            char = text[at]
            if text.startswith("**", at):
                at += 2
                if text.startswith("/", at):
                    at += 1
                    self._skips[len(self._parts)] = len(self._parts) + 3
                    self._parts += [(_never, True), (_is_no_newline, True), ("/".__eq__, False)]
                else:
                    self._any(_is_no_newline)
                continue
            at += 1
            if char == "*":
                self._any(_is_no_slash)
            elif char == "?":
                self._parts.append((_is_no_slash, False))
            elif char == "\\" and at < len(text):
                self._parts.append((text[at].__eq__, False))
                at += 1
            elif char == "[" and (end := text.find("]", at + 1)) > 0:
                self._parts.append((_set(text[at:end]), False))
                at = end + 1
            else:
                self._parts.append((char.__eq__, False))

    def _any(self, fits: CharacterTest) -> None:
        if not self._parts or self._parts[-1] != (fits, True):
            self._parts.append((fits, True))


def _never(_char: str) -> bool:
    return False


def _is_no_slash(char: str) -> bool:
    return char != "/"


def _is_no_newline(char: str) -> bool:
    return char != "\n"  # nor does it for docker, by an oversight that files may count on


def _set(inside: str) -> CharacterTest:
    """Read the inside of ``[…]``. Raises `_NotASet`."""
    negated = inside.startswith("^")
    ranges = list(_ranges(inside.removeprefix("^")))
    if not ranges or any(low > high for low, high in ranges):
        raise _EmptySet

    def fits(char: str) -> bool:
        return any(low <= char <= high for low, high in ranges) != negated

    return fits


def _ranges(items: str) -> Iterator[tuple[str, str]]:
    for low, high in _ITEM.findall(items):
        yield low, high or low
