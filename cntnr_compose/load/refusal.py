"""Refuse what is written at a path of a tree."""

from typing import NoReturn

from cntnr_compose.load.findings import ComposeFileInvalid, Finding, Path, Place


def refuse(what: str, path: Path = (), *, hint: str = "", place: Place | None = None) -> NoReturn:
    """Raise `ComposeFileInvalid` with one finding."""
    raise ComposeFileInvalid([Finding(path=path, message=what, hint=hint, place=place)])
