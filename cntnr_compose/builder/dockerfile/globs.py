"""Match patterns with ``*``, ``**``, ``?`` and ``[…]`` as docker does, in linear time.

The author of a pattern also chooses the names that it is matched with, so backtracking could take forever.
All positions in the pattern that a beginning of the path can lead to are followed at once, and the next set
of positions for each character is cached.
"""

import re
from collections.abc import Callable, Iterator

CharacterTest = Callable[[str], bool]
MAX_STATES = 500  # in the cache; then it is emptied
_ITEM = re.compile(r"\\?(.)(?:-\\?(.))?", re.DOTALL)


class _EmptySet(Exception):
    """A ``[…]`` that no character matches, such as ``[z-a]``."""


class _State(dict[str, "_State"]):
    """The positions in a pattern that a beginning of a path leads to; by character, the next state."""

    def __init__(self, positions: frozenset[int], end: int) -> None:
        super().__init__()
        self.positions = positions
        self.is_end = end in positions


class GlobPattern:
    """One pattern, compiled."""

    def __init__(self, text: str) -> None:
        # For each part: the test of a character; whether it may repeat.
        self._parts: list[tuple[CharacterTest, bool]] = []
        # Optional parts: from which index, up to which.
        self._skips: dict[int, int] = {}
        try:
            self._read(text)
        except _EmptySet:  # the pattern matches nothing but itself
            self._parts = [(char.__eq__, False) for char in text]
            self._skips = {}
        self._states: dict[frozenset[int], _State] = {}
        self._start = self._state({0})

    def matches(self, path: str) -> bool:
        """Return whether a whole path matches."""
        state = self._start
        for char in path:
            following = state.get(char)
            state = self._step(state, char) if following is None else following
            if not state.positions:
                return False
        return state.is_end

    def matches_path_or_parent(self, path: str) -> bool:
        """Return whether a path matches, or one of the folders that it is in."""
        state = self._start
        for char in path:
            if char == "/" and state.is_end:
                return True
            following = state.get(char)
            state = self._step(state, char) if following is None else following
            if not state.positions:
                return False
        return state.is_end

    def _step(self, state: _State, char: str) -> _State:
        """Compute the state after a character, and cache it."""
        positions = set()
        for at in state.positions:
            if at < len(self._parts):
                matches, repeats = self._parts[at]
                if matches(char):
                    positions.add(at if repeats else at + 1)
        state[char] = following = self._state(positions)
        return following

    def _state(self, positions: set[int]) -> _State:
        """Add the positions that are reached without another character, and return the state."""
        pending, reached = list(positions), set()
        while pending:
            at = pending.pop()
            if at in reached:
                continue
            reached.add(at)
            if at < len(self._parts) and self._parts[at][1]:
                pending.append(at + 1)
            if at in self._skips:
                pending.append(self._skips[at])
        if len(self._states) >= MAX_STATES:
            self._states.clear()
            self._start.clear()
        key = frozenset(reached)
        return self._states.setdefault(key, _State(key, len(self._parts)))

    def _read(self, text: str) -> None:
        """Compile the pattern into parts."""
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

    def _any(self, matches: CharacterTest) -> None:
        """Add a part that matches any number of characters."""
        if not self._parts or self._parts[-1] != (matches, True):
            self._parts.append((matches, True))


def _never(_char: str) -> bool:
    return False


def _is_no_slash(char: str) -> bool:
    return char != "/"


def _is_no_newline(char: str) -> bool:
    return char != "\n"  # as in docker, by an oversight that files may rely on


def _set(inside: str) -> CharacterTest:
    """Compile the inside of ``[…]``. Raises `_EmptySet`."""
    negated = inside.startswith("^")
    ranges = list(_ranges(inside.removeprefix("^")))
    if not ranges or any(low > high for low, high in ranges):
        raise _EmptySet

    def matches(char: str) -> bool:
        return any(low <= char <= high for low, high in ranges) != negated

    return matches


def _ranges(items: str) -> Iterator[tuple[str, str]]:
    for low, high in _ITEM.findall(items):
        yield low, high or low
