"""Tables of special cases keyed by path, and the one walk that applies them.

A pattern is written ``services.*.ports``; ``*`` stands for any key and for any item of a list.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from cntnr_compose.compose.basics.diagnostics import (
    ComposeFileInvalid,
    Diagnostic,
    Path,
    fail_if_any,
)

PathRules: TypeAlias = dict[str | None, Any]
RewriteRule: TypeAlias = Callable[[Any, Path], Any]

HERE = None  # a table keeps its own entry at what no key of a compose file can be


def compile_rules(patterns: Mapping[str, Any]) -> PathRules:
    """Turn patterns into a tree that is walked beside the document."""
    root: PathRules = {}
    for pattern, entry in patterns.items():
        node = root
        for part in pattern.split("."):
            node = node.setdefault(part, {})
        node[HERE] = entry
    return root


def rules_below(rules: PathRules, key: str) -> PathRules | None:
    """Give the part of a table that concerns what stands under ``key``."""
    found: PathRules | None = rules.get(key)
    return found if found is not None else rules.get("*")


def apply_rules(value: Any, rules: PathRules, path: Path = ()) -> Any:
    """Replace in place what stands where the table has an entry, from the top down.

    Raises `ComposeFileInvalid` with all that the entries refuse.
    """
    change: RewriteRule | None = rules.get(HERE)
    if change is not None:
        value = change(value, path)
    refused: list[Diagnostic] = []
    if isinstance(value, dict):
        for key, inner in value.items():
            deeper = rules_below(rules, key)
            if deeper is not None:
                try:
                    value[key] = apply_rules(inner, deeper, (*path, key))
                except ComposeFileInvalid as error:
                    refused += error.diagnostics
    elif isinstance(value, list):
        deeper = rules.get("*")
        if deeper is not None:
            for index, inner in enumerate(value):
                try:
                    value[index] = apply_rules(inner, deeper, (*path, index))
                except ComposeFileInvalid as error:
                    refused += error.diagnostics
    fail_if_any(refused)
    return value


def docker_path(path: Path) -> str:
    """Write a path as docker compose does in its messages: items of lists are ``[]``."""
    return ".".join("[]" if isinstance(part, int) else part for part in path)
