r"""Match the shell patterns of ``${V#p}``, ``${V%p}`` and ``${V/p/new}``: ``*``, ``?``, ``\*``, ``\?``.

All beginnings are followed at once, so that no pattern takes longer than its length times that of the value.
"""

from typing import NamedTuple


class PatternInvalid(ValueError):
    """A pattern has an escape that means nothing."""


class _Part(NamedTuple):
    """One position of a pattern: a character, any character, or any number of them."""

    char: str
    is_any: bool = False
    repeats: bool = False

    def fits(self, char: str) -> bool:
        return char != "\n" if self.is_any else char == self.char


class ShellPattern:
    """One pattern, compiled. Raises `PatternInvalid`."""

    def __init__(self, text: str) -> None:
        self._parts = list(_parts(text))

    def prefix_end(self, value: str, *, longest: bool) -> int:
        """Return where the beginning of ``value`` that matches ends; 0 where none does."""
        return _prefix_end(self._parts, value, longest=longest) or 0

    def suffix_start(self, value: str, *, longest: bool) -> int:
        """Return where the end of ``value`` that matches starts; its length where none does."""
        end = _prefix_end(self._parts[::-1], value[::-1], longest=longest)
        return len(value) - (end or 0)

    def replace(self, value: str, new: str, *, everywhere: bool) -> str:
        """Replace what matches: the first from the left, as much as fits, or all of them."""
        out, at = [], 0
        while at <= len(value):
            match = self._find(value, at)
            if match is None:
                break
            start, end = match
            out += [value[at:start], new]
            if end == start:  # an empty match: go on behind the next character
                out.append(value[end : end + 1])
                end += 1
            at = end
            if not everywhere:
                break
        return "".join(out) + value[at:]

    def _find(self, value: str, at: int) -> tuple[int, int] | None:
        """Find the leftmost match from ``at``, as long as possible; return its start and end."""
        length = len(self._parts)
        starts: dict[int, int] = {}  # position in the pattern: where the match began
        best: tuple[int, int] | None = None
        for place in range(at, len(value) + 1):
            if best is None:
                starts.setdefault(0, place)
            for position in range(length):  # what repeats may be left out
                if position in starts and self._parts[position].repeats:
                    starts[position + 1] = min(starts.get(position + 1, place), starts[position])
            if length in starts and (best is None or starts[length] <= best[0]):
                best = starts[length], place
            if place == len(value):
                break
            following: dict[int, int] = {}
            for position, start in starts.items():
                if position == length or (best is not None and start > best[0]):
                    continue
                part = self._parts[position]
                if part.fits(value[place]):
                    target = position if part.repeats else position + 1
                    following[target] = min(following.get(target, start), start)
            starts = following
            if best is not None and not starts:
                break
        return best


def _prefix_end(parts: list[_Part], value: str, *, longest: bool) -> int | None:
    """Return the end of the longest or shortest beginning that matches; None where none does."""
    positions, best = {0}, None
    for place in range(len(value) + 1):
        for position, part in enumerate(parts):
            if position in positions and part.repeats:
                positions.add(position + 1)
        if len(parts) in positions:
            best = place
            if not longest:
                break
        if place == len(value) or not positions:
            break
        positions = {
            position if parts[position].repeats else position + 1
            for position in positions
            if position < len(parts) and parts[position].fits(value[place])
        }
    return best


def _parts(text: str) -> list[_Part]:
    """Compile a pattern. Raises `PatternInvalid`."""
    parts, at = [], 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "*":
            parts.append(_Part("", is_any=True, repeats=True))
            continue
        if char == "?":
            parts.append(_Part("", is_any=True))
            continue
        if char == "\\":
            escaped = text[at : at + 1]
            if escaped in ("}", "/"):
                continue  # part of the ${…} that it stands in
            if escaped not in ("*", "?", "\\") or not escaped:
                why = f"invalid escape '\\{escaped}'"
                raise PatternInvalid(why)
            char = escaped
            at += 1
        parts.append(_Part(char))
    return parts
