"""What is wrong with a compose file: every mistake, with its place, its cause and a suggestion."""

from collections.abc import Iterable, Sequence
from typing import NoReturn, TypeAlias

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen

Path: TypeAlias = tuple[str | int, ...]

MAX_SHOWN = 100  # more findings than this help nobody


class Location(Frozen):
    """Where something was written; lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Diagnostic(Frozen):
    """One mistake or remark: ``path`` leads to it in the tree, ``message`` says what it is."""

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
    """Compose files do not hold together; all that is wrong is told at once."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(dict.fromkeys(diagnostics))
        lines = [str(one) for one in self.diagnostics[:MAX_SHOWN]]
        if len(self.diagnostics) > MAX_SHOWN:
            lines.append("and more mistakes")  # nobody looked for all of them
        super().__init__("\n".join(lines))


def dotted_path(path: Path) -> str:
    """Write a path as the user would: ``services.web.ports.0``."""
    return ".".join(str(step) for step in path)


def closest_match(word: object, known: Iterable[object]) -> str:
    """Give the known word that is most like this one, or nothing when none is."""
    import difflib

    words = [str(one) for one in known]
    text = str(word)
    same = [one for one in words if one.lower() == text.lower().replace("-", "_")]
    found = same or difflib.get_close_matches(text, words, n=1, cutoff=0.6)
    return found[0] if found else ""


def did_you_mean(word: object, known: Iterable[object]) -> str:
    """Ask ``did you mean "ports"?``, or say nothing when nothing is near."""
    found = closest_match(word, known)
    return f'did you mean "{found}"?' if found else ""


def fail(
    message: str, path: Path = (), *, hint: str = "", location: Location | None = None
) -> NoReturn:
    """Raise `ComposeFileInvalid` with one diagnostic."""
    raise ComposeFileInvalid([Diagnostic(path=path, message=message, hint=hint, location=location)])


def fail_if_any(diagnostics: Sequence[Diagnostic]) -> None:
    """Raise `ComposeFileInvalid` with all diagnostics, if there are any."""
    if diagnostics:
        raise ComposeFileInvalid(diagnostics)
