"""Which files of a build context are left out: docker's rules, which are not git's.

Patterns start at the context's root, the last one that fits decides, ``!`` lets files in again, and what
fits a folder fits all below it.
"""

import posixpath
from collections.abc import Iterable

from cntnr_compose.builder.dockerfile.globs import GlobPattern


def parse_dockerignore(text: str) -> tuple[str, ...]:
    """Read the patterns of a .dockerignore file."""
    lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


class IgnorePatterns:
    """A set of patterns, ready to be asked."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._rules: list[tuple[GlobPattern, bool]] = []
        self._exceptions: list[list[tuple[str, GlobPattern]]] = []
        for pattern in patterns:
            back = pattern.startswith("!")
            clean = posixpath.normpath(pattern.removeprefix("!").strip()).lstrip("/")
            if clean in ("", "."):
                continue
            self._rules.append((GlobPattern(clean), back))
            if back:
                self._exceptions.append([(part, GlobPattern(part)) for part in clean.split("/")])

    def __bool__(self) -> bool:
        """Tell whether there are any patterns."""
        return bool(self._rules)

    def ignores(self, path: str) -> bool:
        """Tell whether a path, relative to the root, is left out."""
        ignored = False
        for rule, back in self._rules:
            if ignored == back and rule.matches_path_or_parent(path):
                ignored = not back
        return ignored

    def ignores_all_below(self, folder: str) -> bool:
        """Tell whether a folder that is left out need not be entered: no exception can be in it."""
        return not any(_may_match_below(pattern, folder) for pattern in self._exceptions)


def _may_match_below(parts: list[tuple[str, GlobPattern]], folder: str) -> bool:
    """Tell whether a pattern could fit something below a folder; in doubt it could."""
    for (wanted, pattern), part in zip(parts, folder.split("/"), strict=False):
        if "**" in wanted:
            return True
        if not pattern.matches(part):
            return False
    return True
