"""The tree as text, in docker compose's two forms."""

from typing import Any

from cntnr_compose.core.values import Tree


def to_json(tree: Tree) -> str:
    """Write a tree as JSON."""
    import json

    shown = dict(tree)
    shown["services"] = {name: _service(one) for name, one in tree.get("services", {}).items()}
    for section in ("networks", "volumes", "secrets", "configs", "models"):
        if section in tree:
            shown[section] = {key: _bare(one) for key, one in tree[section].items()}
    for network in shown.get("networks", {}).values():
        network.setdefault("ipam", {})
    return json.dumps(shown, indent=2, ensure_ascii=False).replace("$", "$$")


def _service(tree: Tree) -> Tree:
    """Commands are always there."""
    bare: Tree = _bare(tree)
    return {"command": None, "entrypoint": None, **bare}


def _bare(value: Any) -> Any:
    """Leave out extensions, which docker compose does not print as JSON."""
    if isinstance(value, dict):
        return {key: _bare(one) for key, one in value.items() if not key.startswith("x-")}
    return [_bare(one) for one in value] if isinstance(value, list) else value
