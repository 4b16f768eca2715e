"""Kinds of lists and mappings, made of the kinds of what is in them; all mistakes are told at once."""

from typing import Any

from cntnr_compose.compose.basics.diagnostics import (
    ComposeFileInvalid,
    Diagnostic,
    Path,
    fail,
    fail_if_any,
)
from cntnr_compose.compose.decode.decoders import OMIT, Decoder, indexed_path
from cntnr_compose.core.frozen import Tree


def _try(kind: Decoder, value: Any, path: Path, findings: list[Diagnostic]) -> Any:
    """Make what a kind makes of a value; where it does not fit that is kept, to go on with others."""
    try:
        return kind(value, path)
    except ComposeFileInvalid as error:
        findings.extend(error.diagnostics)
        return OMIT


def _expect(kind: type, word: str, value: Any, path: Path) -> None:
    if not isinstance(value, kind):
        fail(f"{indexed_path(path)} must be a {word}", path)


def list_of(kind: Decoder) -> Decoder:
    """Make the kind of a list whose items are of a kind."""

    def check(value: Any, path: Path) -> Any:
        if value is None:
            return OMIT
        _expect(list, "list", value, path)
        findings: list[Diagnostic] = []
        done = [_try(kind, one, (*path, index), findings) for index, one in enumerate(value)]
        fail_if_any(findings)
        return [{} if one is OMIT else one for one in done] or OMIT

    return check


def dict_of(kind: Decoder, *, empty: Any = None) -> Decoder:
    """Make the kind of a mapping whose values are of a kind; ``empty`` is what nothing becomes."""

    def check(value: Any, path: Path) -> Any:
        if value is None:
            return OMIT
        _expect(dict, "mapping", value, path)
        done: Tree = {}
        findings: list[Diagnostic] = []
        for key in sorted(value):
            one = OMIT if value[key] is None else _try(kind, value[key], (*path, key), findings)
            done[key] = empty if one is OMIT else one
        fail_if_any(findings)
        return done or OMIT

    return check


def mapping_of(kinds: dict[str, Decoder], empty: Tree | None = None) -> Decoder:
    """Make the kind of a mapping with keys that are known, printed in their order; x-* come last.

    Keys of ``empty`` are printed with its value where nothing is in them.
    """
    nothing: Tree = empty or {}

    def check(value: Any, path: Path) -> Any:
        if value is None:
            return OMIT
        _expect(dict, "mapping", value, path)
        done: Tree = {}
        findings: list[Diagnostic] = []
        for key, kind in kinds.items():
            one = _try(kind, value[key], (*path, key), findings) if key in value else OMIT
            if one is not OMIT or key in nothing:
                done[key] = nothing[key] if one is OMIT else one
        fail_if_any(findings)
        for key in sorted(value):
            if key.startswith("x-") and key not in kinds:
                done[key] = value[key]
        return done

    return check
