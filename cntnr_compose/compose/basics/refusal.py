"""Refuse what is written at a path of a tree."""

from collections.abc import Sequence
from typing import NoReturn

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid, Finding, Path, Place


def refuse(what: str, path: Path = (), *, hint: str = "", place: Place | None = None) -> NoReturn:
    """Raise `ComposeFileInvalid` with one finding."""
    raise ComposeFileInvalid([Finding(path=path, message=what, hint=hint, place=place)])


def refuse_all(findings: Sequence[Finding]) -> None:
    """Raise `ComposeFileInvalid` with all findings, where there are any."""
    if findings:
        raise ComposeFileInvalid(findings)
