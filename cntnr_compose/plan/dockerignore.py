"""Which files of a build context are left out: docker's rules, which are not git's.

Patterns start at the context's root, the last one that fits decides, ``!`` lets files in again, and what
fits a folder fits all below it.
"""

import posixpath
import re
from collections.abc import Iterable


def parse(text: str) -> tuple[str, ...]:
    """Read the patterns of a .dockerignore file."""
    lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


class Ignore:
    """A set of patterns, ready to be asked."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._rules: list[tuple[re.Pattern[str], bool]] = []
        self._exceptions: list[str] = []
        for pattern in patterns:
            back = pattern.startswith("!")
            clean = posixpath.normpath(pattern.removeprefix("!").strip()).lstrip("/")
            if clean in ("", "."):
                continue
            self._rules.append((compiled(clean), back))
            if back:
                self._exceptions.append(clean)

    def __bool__(self) -> bool:
        """Tell whether there are any patterns."""
        return bool(self._rules)

    def ignores(self, path: str) -> bool:
        """Tell whether a path, relative to the root, is left out."""
        parts = path.split("/")
        tries = ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]
        ignored = False
        for rule, back in self._rules:
            if ignored == back and any(rule.fullmatch(one) for one in tries):
                ignored = not back
        return ignored

    def ignores_all_below(self, folder: str) -> bool:
        """Tell whether a folder that is left out need not be entered: no exception can be in it."""
        return not any(_may_fit_below(pattern, folder) for pattern in self._exceptions)


def _may_fit_below(pattern: str, folder: str) -> bool:
    """Tell whether a pattern could fit something below a folder; in doubt it could."""
    for wanted, part in zip(pattern.split("/"), folder.split("/"), strict=False):
        if "**" in wanted:
            return True
        if not compiled(wanted).fullmatch(part):
            return False
    return True


def _set(inside: str) -> str:
    """Turn the inside of ``[…]``, which Go and Python write almost alike, into a set of characters."""
    negated = inside.startswith("^")
    items = re.findall(r"\\?(.)(?:-\\?(.))?", inside.removeprefix("^"), re.DOTALL)
    ranges = (re.escape(low) + (f"-{re.escape(high)}" if high else "") for low, high in items)
    return f"[{'^' if negated else ''}{''.join(ranges)}]"


def compiled(pattern: str) -> re.Pattern[str]:
    """Make a regular expression for whole paths of a pattern with ``*``, ``**``, ``?`` and ``[…]``."""
    try:
        return re.compile(_regex(pattern))
    except re.error:  # such as [z-a], which fits nothing but itself
        return re.compile(re.escape(pattern))


def _regex(pattern: str) -> str:
    """Turn a pattern into a regular expression for a whole path."""
    out, at = [], 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**", at):
            at += 2
            if pattern.startswith("/", at):
                at += 1
                out.append("(?:.*/)?")
            else:
                out.append(".*")
            continue
        at += 1
        if char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "\\" and at < len(pattern):
            out.append(re.escape(pattern[at]))
            at += 1
        elif char == "[" and (end := pattern.find("]", at + 1)) > 0:
            out.append(_set(pattern[at:end]))
            at = end + 1
        else:
            out.append(re.escape(char))
    return "".join(out)
