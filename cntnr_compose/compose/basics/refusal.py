"""Refuse what is written at a path of a tree."""

from collections.abc import Sequence
from typing import NoReturn

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid, Diagnostic, Location, Path


def fail(
    message: str, path: Path = (), *, hint: str = "", location: Location | None = None
) -> NoReturn:
    """Raise `ComposeFileInvalid` with one finding."""
    raise ComposeFileInvalid([Diagnostic(path=path, message=message, hint=hint, place=location)])


def fail_if_any(diagnostics: Sequence[Diagnostic]) -> None:
    """Raise `ComposeFileInvalid` with all findings, where there are any."""
    if diagnostics:
        raise ComposeFileInvalid(diagnostics)
