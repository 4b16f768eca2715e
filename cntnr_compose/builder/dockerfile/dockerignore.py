"""Match the patterns of a .dockerignore file, by docker's rules, which are not git's.

Patterns start at the context's root, the last one that matches decides, ``!`` includes again, and a pattern
that matches a folder matches everything below it.
"""

import posixpath
from collections.abc import Iterable

from cntnr_compose.builder.dockerfile.globs import GlobPattern


def parse_dockerignore(text: str) -> tuple[str, ...]:
    """Read the patterns of a .dockerignore file; a # begins a comment in the first column only."""
    lines = text.removeprefix("\ufeff").split("\n")
    patterns = (line.strip() for line in lines if not line.startswith("#"))
    return tuple(pattern for pattern in patterns if pattern)


class IgnorePatterns:
    """A set of patterns, ready to match."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._rules: list[tuple[GlobPattern, bool]] = []
        self._exceptions: list[list[tuple[str, GlobPattern]]] = []
        for pattern in patterns:
            includes = pattern.startswith("!")
            cleaned = posixpath.normpath(pattern.removeprefix("!").strip()).lstrip("/")
            if cleaned in ("", "."):
                continue
            self._rules.append((GlobPattern(cleaned), includes))
            if includes:
                self._exceptions.append([(part, GlobPattern(part)) for part in cleaned.split("/")])

    def __bool__(self) -> bool:
        """Return whether there are any patterns."""
        return bool(self._rules)

    def ignores(self, path: str) -> bool:
        """Return whether a path, relative to the root, is excluded."""
        ignored = False
        for rule, includes in self._rules:
            if ignored == includes and rule.matches_path_or_parent(path):
                ignored = not includes
        return ignored

    def ignores_all_below(self, folder: str) -> bool:
        """Return whether nothing below an excluded folder can be included again by an exception."""
        return not any(_may_match_below(pattern, folder) for pattern in self._exceptions)


def _may_match_below(parts: list[tuple[str, GlobPattern]], folder: str) -> bool:
    """Return whether a pattern could match something below a folder; in doubt it could."""
    for (text, pattern), part in zip(parts, folder.split("/"), strict=False):
        if "**" in text:
            return True
        if not pattern.matches(part):
            return False
    return True
