"""Honour `!reset` and `!override`: remove what stood there before a file is merged over it.

`yaml.composer` finds where the tags stand. Imported only where there are some.
"""

from typing import Any

from cntnr_compose.compose.basics.diagnostics import Path


def remove_paths(tree: Any, paths: tuple[Path, ...]) -> None:
    """Remove what `!reset` and `!override` stand at, but no items of lists."""
    for path in paths:
        node = tree
        for step in path[:-1]:
            node = node.get(step) if isinstance(node, dict) else None
        if path and isinstance(node, dict):
            node.pop(path[-1], None)
