"""Tables of rules keyed by path patterns, and the walk that applies them to a tree.

In a pattern such as ``services.*.ports`` the ``*`` matches any key of a mapping and any item of a list.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from cntnr_compose.compose.basics.diagnostics import (
    ComposeFileInvalid,
    Diagnostic,
    Path,
    fail_if_any,
)

PathRules: TypeAlias = dict[
    str | None, Any
]  # a tree of tables; the entry of a path is under `HERE`
RewriteRule: TypeAlias = Callable[[Any, Path], Any]

HERE = None  # no key of a compose file is None


def compile_rules(patterns: Mapping[str, Any]) -> PathRules:
    """Turn patterns into a tree of tables, to be walked beside a document."""
    root: PathRules = {}
    for pattern, entry in patterns.items():
        node = root
        for part in pattern.split("."):
            node = node.setdefault(part, {})
        node[HERE] = entry
    return root


def rules_below(rules: PathRules, key: str) -> PathRules | None:
    """Return the rules that apply below a key, or None."""
    inner: PathRules | None = rules.get(key)
    return inner if inner is not None else rules.get("*")


def apply_rules(value: Any, rules: PathRules, path: Path = ()) -> Any:
    """Rewrite in place each value that has a rule, from the top down; return the value itself.

    Raises `ComposeFileInvalid` with the diagnostics of all rules.
    """
    rule: RewriteRule | None = rules.get(HERE)
    if rule is not None:
        value = rule(value, path)
    diagnostics: list[Diagnostic] = []
    if isinstance(value, dict):
        for key, item in value.items():
            inner_rules = rules_below(rules, key)
            if inner_rules is not None:
                try:
                    value[key] = apply_rules(item, inner_rules, (*path, key))
                except ComposeFileInvalid as error:
                    diagnostics += error.diagnostics
    elif isinstance(value, list):
        inner_rules = rules.get("*")
        if inner_rules is not None:
            for index, item in enumerate(value):
                try:
                    value[index] = apply_rules(item, inner_rules, (*path, index))
                except ComposeFileInvalid as error:
                    diagnostics += error.diagnostics
    fail_if_any(diagnostics)
    return value


def docker_path(path: Path) -> str:
    """Format a path as docker compose does in messages: items of lists are ``[]``."""
    return ".".join("[]" if isinstance(part, int) else part for part in path)
