"""Honour `!reset` and `!override`: remove what stood there before a file is merged over it.

`yaml.composer` finds where the tags stand. Imported only where there are some.
"""

import re
from typing import Any

from cntnr_compose.compose.basics.diagnostics import Path

NAME_END = re.compile("[=:]")  # of ``KEY=VALUE`` and, among extra_hosts, ``HOST:ADDRESS``


def remove_paths(tree: Any, paths: tuple[Path, ...]) -> None:
    """Remove what `!reset` and `!override` stand at, but no items of lists by their index.

    The key of a mapping is removed from a list, too: files may write both forms, and merging two
    mappings of variables makes a list of them.
    """
    for path in paths:
        node = tree
        for step in path[:-1]:
            node = node.get(step) if isinstance(node, dict) else None
        if path and isinstance(node, dict):
            node.pop(path[-1], None)
        elif path and isinstance(node, list) and isinstance(path[-1], str):
            node[:] = [item for item in node if not _is_named(item, path[-1])]


def _is_named(item: Any, name: str) -> bool:
    return isinstance(item, str) and (item == name or NAME_END.split(item, maxsplit=1)[0] == name)
