"""Lists that are sets: of items with the same key the later one replaces the earlier one."""

from collections.abc import Callable
from typing import Any, TypeAlias

from cntnr_compose.compose.basics.diagnostics import (
    ComposeFileInvalid,
    Diagnostic,
    Path,
    fail,
    fail_if_any,
)
from cntnr_compose.compose.basics.go_format import format_value
from cntnr_compose.compose.basics.path_rules import (
    RewriteRule,
    apply_rules,
    compile_rules,
    docker_path,
)
from cntnr_compose.compose.transform import volume_syntax
from cntnr_compose.core.frozen import Tree

KeyOf: TypeAlias = Callable[[Any, Path], str]


def enforce_uniqueness(tree: Tree) -> Tree:
    """Remove duplicates from the lists of a tree that are sets.

    Raises `ComposeFileInvalid`.
    """
    apply_rules(tree, RULES)
    return tree


def _by(key_of: KeyOf) -> RewriteRule:
    """Return a rule that keeps the last of the items with the same key."""

    def rule(value: Any, path: Path) -> Any:
        if not isinstance(value, list):
            return value
        items: dict[str, Any] = {}
        diagnostics: list[Diagnostic] = []
        for index, item in enumerate(value):
            try:
                items[key_of(item, (*path, index))] = item
            except ComposeFileInvalid as error:
                diagnostics += error.diagnostics
        fail_if_any(diagnostics)
        return list(items.values())

    return rule


def _name(item: Any, _path: Path) -> str:
    return format_value(item).partition("=")[0]


def _volume(item: Any, path: Path) -> str:
    if isinstance(item, dict):
        target = item.get("target")
        if not isinstance(target, str):
            fail(f"service volume {_indexed_docker_path(path)} is missing a mount target", path)
        return target
    return volume_syntax.parse_uncleaned(item, path)["target"] if isinstance(item, str) else ""


def _device(item: Any, path: Path) -> str:
    if isinstance(item, dict):
        target = item.get("target")
        if not isinstance(target, str):
            fail(f"service device {_indexed_docker_path(path)} is missing a mount target", path)
        return target
    parts = str(item).split(":")
    return parts[1] if len(parts) > 1 else parts[0]


def _indexed_docker_path(path: Path) -> str:
    """Format a path with its last index, as some messages of docker compose do."""
    return f"{docker_path(path[:-1])}.[{path[-1]}]"


def _file_mount(folder: str) -> KeyOf:
    def key_of(item: Any, _path: Path) -> str:
        if isinstance(item, dict):
            target = item.get("target")
            return target if isinstance(target, str) else f"{folder}/{item.get('source')}"
        return f"{folder}/{item}"

    return key_of


def _port(item: Any, path: Path) -> str:
    if not isinstance(item, dict):
        return str(item)
    target = item.get("target")
    if target is None:
        fail(f"service ports {_indexed_docker_path(path)} is missing a target port", path)
    host, protocol = item.get("host_ip", "0.0.0.0"), item.get("protocol", "tcp")
    # With repr: docker compose takes a published port in quotes for another one than a number.
    return f"{host}:{item.get('published')!r}:{target}/{protocol}"


def _expose(item: Any, path: Path) -> str:
    if isinstance(item, float):
        fail(f"{_indexed_docker_path(path)}: unsupported expose value {format_value(item)}", path)
    return format_value(item)


def _env_file(item: Any, _path: Path) -> str:
    return str(item.get("path")) if isinstance(item, dict) else str(item)


RULES = compile_rules({
    "networks.*.labels": _by(_name),
    "networks.*.ipam.options": _by(_name),
    "services.*.annotations": _by(_name),
    "services.*.build.args": _by(_name),
    "services.*.build.additional_contexts": _by(_name),
    "services.*.build.tags": _by(_name),
    "services.*.build.labels": _by(_name),
    "services.*.cap_add": _by(_name),
    "services.*.cap_drop": _by(_name),
    "services.*.devices": _by(_device),
    "services.*.configs": _by(_file_mount("")),
    "services.*.deploy.labels": _by(_name),
    "services.*.dns": _by(_name),
    "services.*.dns_opt": _by(_name),
    "services.*.dns_search": _by(_name),
    "services.*.environment": _by(_name),
    "services.*.env_file": _by(_env_file),
    "services.*.expose": _by(_expose),
    "services.*.labels": _by(_name),
    "services.*.links": _by(_name),
    "services.*.networks.*.aliases": _by(_name),
    "services.*.networks.*.link_local_ips": _by(_name),
    "services.*.ports": _by(_port),
    "services.*.profiles": _by(_name),
    "services.*.secrets": _by(_file_mount("/run/secrets")),
    "services.*.sysctls": _by(_name),
    "services.*.tmpfs": _by(_name),
    "services.*.volumes": _by(_volume),
})  # fmt: skip
