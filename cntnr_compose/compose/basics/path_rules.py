"""Tables of special cases keyed by path, and the one walk that applies them.

A pattern is written ``services.*.ports``; ``*`` stands for any key and for any item of a list.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid, Finding, Path
from cntnr_compose.compose.basics.refusal import refuse_all

__all__ = ["Change", "Path", "Rows", "below", "rewrite", "say", "table"]

Rows: TypeAlias = dict[str | None, Any]
Change: TypeAlias = Callable[[Any, Path], Any]

HERE = None  # a table keeps its own entry at what no key of a compose file can be


def table(patterns: Mapping[str, Any]) -> Rows:
    """Turn patterns into a tree that is walked beside the document."""
    root: Rows = {}
    for pattern, entry in patterns.items():
        node = root
        for part in pattern.split("."):
            node = node.setdefault(part, {})
        node[HERE] = entry
    return root


def below(rows: Rows, key: str) -> Rows | None:
    """Give the part of a table that concerns what stands under ``key``."""
    found: Rows | None = rows.get(key)
    return found if found is not None else rows.get("*")


def rewrite(value: Any, rows: Rows, path: Path = ()) -> Any:
    """Replace in place what stands where the table has an entry, from the top down.

    Raises `ComposeFileInvalid` with all that the entries refuse.
    """
    change: Change | None = rows.get(HERE)
    if change is not None:
        value = change(value, path)
    refused: list[Finding] = []
    if isinstance(value, dict):
        for key, inner in value.items():
            deeper = below(rows, key)
            if deeper is not None:
                try:
                    value[key] = rewrite(inner, deeper, (*path, key))
                except ComposeFileInvalid as error:
                    refused += error.findings
    elif isinstance(value, list):
        deeper = rows.get("*")
        if deeper is not None:
            for index, inner in enumerate(value):
                try:
                    value[index] = rewrite(inner, deeper, (*path, index))
                except ComposeFileInvalid as error:
                    refused += error.findings
    refuse_all(refused)
    return value


def say(path: Path) -> str:
    """Write a path as docker compose does in its messages: items of lists are ``[]``."""
    return ".".join("[]" if isinstance(part, int) else part for part in path)
