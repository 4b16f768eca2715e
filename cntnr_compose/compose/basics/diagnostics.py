"""Diagnostics about compose files: path in the tree, message, hint, and location in a file."""

from collections.abc import Iterable, Sequence
from typing import NoReturn, TypeAlias

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen

Path: TypeAlias = tuple[str | int, ...]

MAX_SHOWN = 100  # nobody reads more at once


class Location(Frozen):
    """A position in a file; lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Diagnostic(Frozen):
    """An error or a warning about the value at ``path`` of the tree."""

    path: Path
    message: str
    hint: str = ""
    location: Location | None = None
    severity: str = "error"  # error, warning

    def __str__(self) -> str:
        parts = [str(self.location)] if self.location else []
        if self.path:
            parts.append(dotted_path(self.path))
        text = ": ".join([*parts, self.message])
        return f"{text} ({self.hint})" if self.hint else text


class ComposeFileInvalid(CntnrError):
    """Compose files are invalid; the error carries all diagnostics at once."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(dict.fromkeys(diagnostics))
        lines = [str(diagnostic) for diagnostic in self.diagnostics[:MAX_SHOWN]]
        if len(self.diagnostics) > MAX_SHOWN:
            lines.append("and more mistakes")  # no count: the search stopped at the limit
        super().__init__("\n".join(lines))


def fail(
    message: str, path: Path = (), *, hint: str = "", location: Location | None = None
) -> NoReturn:
    """Raise `ComposeFileInvalid` with one diagnostic."""
    raise ComposeFileInvalid([Diagnostic(path=path, message=message, hint=hint, location=location)])


def fail_if_any(diagnostics: Sequence[Diagnostic]) -> None:
    """Raise `ComposeFileInvalid` with all diagnostics, if there are any."""
    if diagnostics:
        raise ComposeFileInvalid(diagnostics)


def dotted_path(path: Path) -> str:
    """Format a path as users write it: ``services.web.ports.0``."""
    return ".".join(str(step) for step in path)


def closest_match(word: object, candidates: Iterable[object]) -> str:
    """Return the candidate most similar to a word, or "" if none is similar."""
    import difflib

    words = [str(candidate) for candidate in candidates]
    text = str(word)
    same = [one for one in words if one.lower() == text.lower().replace("-", "_")]
    matches = same or difflib.get_close_matches(text, words, n=1, cutoff=0.6)
    return matches[0] if matches else ""


def did_you_mean(word: object, candidates: Iterable[object]) -> str:
    """Return the hint ``did you mean "ports"?``, or "" if no candidate is similar."""
    match = closest_match(word, candidates)
    return f'did you mean "{match}"?' if match else ""
