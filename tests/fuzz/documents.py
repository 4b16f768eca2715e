"""Compose documents made up from the schema, right ones and spoilt ones, for hypothesis."""

from typing import Any

from hypothesis import strategies as st

NAMES = ["a", "b", "web", "db", "default", "x-more", "a.b-c_d"]
WORDS = [
    "",
    "a",
    "b",
    "web",
    "x",
    "on",
    "80",
    "80:80",
    "8000-8002:80-82/udp",
    "127.0.0.1:80:80",
    "./a:/b",
    "vol:/data:ro",
    "/tmp",
    "A=1",
    "A",
    "a:b",
    "host:1.2.3.4",
    "1s",
    "1m30s",
    "64m",
    "0.5",
    "-1",
    "3",
    "true",
    "maybe",
    "service:b",
    "host",
    "CMD",
    "NONE",
    "0444",
    "linux/amd64",
    "$A",
    "${A:-x}",
    "${A?no}",
    "$$",
    "${",
    "ü",
    "a b",
    "~",
    ".",
    "C:\\x:/y",
    "every_2d",
    "always",
    "no",
]
SCALARS: list[Any] = [None, True, False, 0, 1, -1, 80, 70000, 0.5, 1.0, 2.5, 1e300, 10**30, *WORDS]
KINDS: dict[str, Any] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "integer": st.sampled_from([0, 1, 2, 80, 1000, -1, 3.0]),
    "number": st.sampled_from([0, 1, 0.5, -2.5, 80, 1.0]),
    "string": st.sampled_from(WORDS),
}
Draw = Any


@st.composite
def valid(draw: Draw, schema: dict[str, Any]) -> Any:
    """Make up a document that mostly fits a schema without ``unevaluatedProperties``."""
    return _value(draw, schema, schema, 0)


@st.composite
def spoilt(draw: Draw, schema: dict[str, Any]) -> Any:
    """Make up a document, then break it in up to three places."""
    tree = _value(draw, schema, schema, 0)
    for _ in range(draw(st.integers(0, 3))):
        tree = _spoil(draw, tree)
    return tree


def _value(draw: Draw, node: Any, root: dict[str, Any], depth: int) -> Any:
    if node is True or not node:
        return draw(st.sampled_from(SCALARS))
    if "$ref" in node:
        for step in node["$ref"].removeprefix("#/").split("/"):
            node = (root if step == "$defs" else node)[step]
        return _value(draw, node, root, depth)
    for keyword in ("oneOf", "anyOf"):
        if keyword in node and "properties" not in node:
            return _value(draw, draw(st.sampled_from(node[keyword])), root, depth)
    if "enum" in node:
        return draw(st.sampled_from(node["enum"]))
    kinds = node.get("type", "object")
    kind = draw(st.sampled_from(kinds)) if isinstance(kinds, list) else kinds
    if kind == "object":
        return _mapping(draw, node, root, depth)
    if kind == "array":
        each = node.get("items", True)
        return [_value(draw, each, root, depth + 1) for _ in range(draw(st.integers(0, 3)))]
    return draw(KINDS[kind])


def _mapping(draw: Draw, node: dict[str, Any], root: dict[str, Any], depth: int) -> Any:
    properties = node.get("properties", {})
    tree = {key: _value(draw, properties[key], root, depth + 1) for key in node.get("required", ())}
    if properties:
        keys = draw(st.lists(st.sampled_from(sorted(properties)), max_size=6 if depth < 3 else 3))
        if depth == 0:
            keys.append("services")
        elif depth == 2 and "image" in properties:
            keys.append("image")
        for key in keys:
            tree[key] = _value(draw, properties[key], root, depth + 1)
    for pattern, each in node.get("patternProperties", {}).items():
        if pattern != "^x-":
            for name in draw(st.lists(st.sampled_from(NAMES), max_size=3)):
                tree[name] = _value(draw, each, root, depth + 1)
        elif draw(st.integers(0, 20)) == 0:
            tree["x-extra"] = draw(st.sampled_from(SCALARS))
    return tree


def _spoil(draw: Draw, tree: Any) -> Any:
    """Change one thing somewhere in a tree."""
    if not isinstance(tree, dict | list) or not tree or draw(st.integers(0, 4)) == 0:
        return draw(st.one_of(st.sampled_from(SCALARS), st.sampled_from(([], {}, [[]], {"a": {}}))))
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    key = draw(st.sampled_from(keys))
    how = draw(st.integers(0, 7))
    if how == 0:
        del tree[key]
    elif how == 1 and isinstance(tree, dict):
        tree[f"{key}s" if draw(st.booleans()) else f"{key} {key}"] = tree.pop(key)
    elif how == 2 and isinstance(tree, list):
        tree.append(tree[key])
    elif how == 3 and isinstance(tree, dict):
        tree[draw(st.sampled_from(["image", "ports", "x-a", "name", "target", "", "a"]))] = tree[
            key
        ]
    else:
        tree[key] = _spoil(draw, tree[key])
    return tree
