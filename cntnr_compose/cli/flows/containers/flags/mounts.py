"""Read the mounts of a new container: `-v`, `--mount` and `--volumes-from`."""

from collections.abc import Mapping
from typing import Any

from cntnr_compose.core.frozen import Tree


def map_mounts(flags: Mapping[str, Any]) -> Tree:
    """Return the keys of a service for the flags about mounts."""
    keys: Tree = {}
    if flags["volume"]:
        keys["volumes"] = list(flags["volume"])
    if flags["volumes_from"]:
        keys["volumes_from"] = [f"container:{text}" for text in flags["volumes_from"]]
    return keys
