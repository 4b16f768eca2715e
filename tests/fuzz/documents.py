"""Strategies for hypothesis: compose documents generated from the schema, valid and spoilt."""

from typing import Any

from hypothesis import strategies as st

NAMES = ["a", "b", "web", "db", "default", "x-more", "a.b-c_d"]
WORDS = [
    "", "a", "b", "web", "x", "on", "80", "80:80", "8000-8002:80-82/udp", "127.0.0.1:80:80", "./a:/b",
    "vol:/data:ro", "/tmp", "A=1", "A", "a:b", "host:1.2.3.4", "1s", "1m30s", "64m", "0.5", "-1", "3",
    "true", "maybe", "service:b", "host", "CMD", "NONE", "0444", "linux/amd64", "$A", "${A:-x}",
    "${A?no}", "$$", "${", "ü", "a b", "~", ".", "C:\\x:/y", "every_2d", "always", "no",
]  # fmt: skip
SCALARS: list[Any] = [None, True, False, 0, 1, -1, 80, 70000, 0.5, 1.0, 2.5, 1e300, 10**30, *WORDS]
# What people write at a key; chosen three times out of four, so that most documents load.
DURATIONS, SIZES = ["1s", "1m30s", "500ms", "2h", ""], ["64m", "1g", "1024", "0.5gb", "1kb"]
NUMBERS, SWITCHES = ["0", "1", "3", "10"], ["true", "false", "yes", "no"]
LIKELY: dict[str, list[str]] = {
    **dict.fromkeys(("interval", "timeout", "start_period", "start_interval"), DURATIONS),
    **dict.fromkeys(("stop_grace_period", "delay", "monitor", "window"), DURATIONS),
    **dict.fromkeys(("mem_limit", "mem_reservation", "memswap_limit", "shm_size"), SIZES),
    **dict.fromkeys(("memory", "size", "rate", "mem_swappiness"), SIZES),
    **dict.fromkeys(("retries", "replicas", "scale", "parallelism", "max_attempts"), NUMBERS),
    **dict.fromkeys(("cpu_count", "cpu_shares", "cpu_quota", "cpu_period", "pids"), NUMBERS),
    **dict.fromkeys(("cpu_rt_period", "cpu_rt_runtime", "pids_limit", "weight"), NUMBERS),
    **dict.fromkeys(("oom_score_adj", "value", "max_replicas_per_node", "soft", "hard"), NUMBERS),
    **{key: ["0.5", "1", "2.25"] for key in ("cpus", "cpu_percent", "max_failure_ratio")},
    **dict.fromkeys(("privileged", "read_only", "init", "tty", "stdin_open"), SWITCHES),
    **dict.fromkeys(("internal", "external", "attachable", "enable_ipv6"), SWITCHES),
    **dict.fromkeys(("nocopy", "create_host_path", "disable", "no_cache", "pull"), SWITCHES),
    "mode": ["0444", "440", "1777", "host", "replicated"],
    "ports": ["80", "80:80", "8000-8002:80-82/udp", "127.0.0.1:80:80", "[::1]:81:81", ":90"],
    "expose": ["80", "80/udp", "80-82"],
    "target": ["/a", "/b/", "80", "81"],
    "published": ["80", "8000-8001", ""],
    "host_ip": ["127.0.0.1", "::1", ""],
    "volumes": ["./a:/b", "/tmp", "a:/data:ro", "~/x:/y:z", "b:/c:nocopy", "C:\\x:/y"],
    "tmpfs": ["/t", "/run:size=1m"],
    "devices": ["/dev/null", "/dev/a:/dev/b:r", "vendor.com/gpu=0"],
    "environment": ["A=1", "B", "C=$A", "D=a b"],
    "labels": ["a=1", "b", "c.d=e=f"],
    "args": ["A=1", "B"],
    "extra_hosts": ["host:1.2.3.4", "h=::1", "g:host-gateway"],
    "env_file": [".env"],
    "label_file": [".env"],
    "depends_on": ["a", "b", "web"],
    "links": ["a", "b:alias"],
    "networks": ["default", "a", "b"],
    "secrets": ["a", "b"],
    "configs": ["a", "b"],
    "source": ["a", "b", "./x"],
    "network_mode": ["host", "none", "service:a", "container:x", "bridge"],
    "pid": ["host", "service:b"],
    "command": ["echo hi", 'sh -c "a b"', "a 'b c' \\d", ""],
    "entrypoint": ["/x", 'sh -c "a b"', ""],
    "test": ["CMD", "true", "curl -f x"],
    "platform": ["linux/amd64", "linux/arm64/v8"],
    "platforms": ["linux/amd64", "linux/arm64/v8"],
    "subnet": ["10.1.0.0/16", "fd00::/64"],
    "restart": ["always", "on-failure:3", "no"],
    "container_name": ["one", "two-2"],
    "pull_policy": ["always", "every_2d", "if_not_present", "missing"],
    "user": ["root", "1000:1000"],
    "extends": ["a", "b"],
    "include": ["other.yaml"],
}
VALUES_BY_TYPE: dict[str, Any] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "integer": st.sampled_from([0, 1, 2, 80, 1000, -1, 3.0]),
    "number": st.sampled_from([0, 1, 0.5, -2.5, 80, 1.0]),
    "string": st.sampled_from(WORDS),
}
Draw = Any


@st.composite
def valid(draw: Draw, schema: dict[str, Any]) -> Any:
    """Generate a document that mostly fits a schema without ``unevaluatedProperties``."""
    return _value(draw, schema, schema, 0, "")


@st.composite
def spoilt(draw: Draw, schema: dict[str, Any]) -> Any:
    """Generate a document, then spoil it in up to three places."""
    tree = _value(draw, schema, schema, 0, "")
    for _ in range(draw(st.integers(0, 3))):
        tree = _spoil(draw, tree)
    return tree


def _value(draw: Draw, node: Any, root: dict[str, Any], depth: int, key: str) -> Any:
    if node is True or not node:
        return draw(st.sampled_from(SCALARS))
    if "$ref" in node:
        for step in node["$ref"].removeprefix("#/").split("/"):
            node = (root if step == "$defs" else node)[step]
        return _value(draw, node, root, depth, key)
    for keyword in ("oneOf", "anyOf"):
        if keyword in node and "properties" not in node:
            return _value(draw, draw(st.sampled_from(node[keyword])), root, depth, key)
    if "enum" in node:
        return draw(st.sampled_from(node["enum"]))
    types = node.get("type", "object")
    chosen = draw(st.sampled_from(types)) if isinstance(types, list) else types
    if chosen == "object":
        return _mapping(draw, node, root, depth, key)
    if chosen == "array":
        items = node.get("items", True)
        return [_value(draw, items, root, depth + 1, key) for _ in range(draw(st.integers(0, 3)))]
    if chosen == "string" and key in LIKELY and draw(st.integers(0, 3)):
        return draw(st.sampled_from(LIKELY[key]))
    return draw(VALUES_BY_TYPE[chosen])


def _mapping(
    draw: Draw, node: dict[str, Any], root: dict[str, Any], depth: int, parent: str
) -> Any:
    properties = node.get("properties", {})
    keys = list(node.get("required", ()))
    if properties:
        limit = 6 if depth < 3 else 3
        keys += draw(st.lists(st.sampled_from(sorted(properties)), max_size=limit))
        if depth == 0:
            keys.append("services")
        elif depth == 2 and "image" in properties:
            keys.append("image")
    tree = {key: _value(draw, properties[key], root, depth + 1, key) for key in keys}
    for pattern, inner in node.get("patternProperties", {}).items():
        if pattern != "^x-":
            for name in draw(st.lists(st.sampled_from(NAMES), max_size=3)):
                tree[name] = _value(draw, inner, root, depth + 1, parent)
        elif draw(st.integers(0, 20)) == 0:
            tree["x-extra"] = draw(st.sampled_from(SCALARS))
    return tree


def _spoil(draw: Draw, tree: Any) -> Any:
    """Change one thing somewhere in a tree."""
    if not isinstance(tree, dict | list) or not tree or draw(st.integers(0, 4)) == 0:
        return draw(st.one_of(st.sampled_from(SCALARS), st.sampled_from(([], {}, [[]], {"a": {}}))))
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    key = draw(st.sampled_from(keys))
    change = draw(st.integers(0, 7))
    if change == 0:
        del tree[key]
    elif change == 1 and isinstance(tree, dict):
        tree[f"{key}s" if draw(st.booleans()) else f"{key} {key}"] = tree.pop(key)
    elif change == 2 and isinstance(tree, list):
        tree.append(tree[key])
    elif change == 3 and isinstance(tree, dict):
        other = draw(st.sampled_from(["image", "ports", "x-a", "name", "target", "", "a"]))
        tree[other] = tree[key]
    else:
        tree[key] = _spoil(draw, tree[key])
    return tree
