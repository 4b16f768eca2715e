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


def _unique_by(key_of: KeyOf) -> RewriteRule:
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


def _name_of(item: Any, _path: Path) -> str:
    return format_value(item).partition("=")[0]


def _volume_target(item: Any, path: Path) -> str:
    if isinstance(item, dict):
        target = item.get("target")
        if not isinstance(target, str):
            fail(f"service volume {_indexed_docker_path(path)} is missing a mount target", path)
        return target
    return volume_syntax.parse_uncleaned(item, path)["target"] if isinstance(item, str) else ""


def _device_target(item: Any, path: Path) -> str:
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


def _file_mount_target(folder: str) -> KeyOf:
    def key_of(item: Any, _path: Path) -> str:
        if isinstance(item, dict):
            target = item.get("target")
            return target if isinstance(target, str) else f"{folder}/{item.get('source')}"
        return f"{folder}/{item}"

    return key_of


def _port_key(item: Any, path: Path) -> str:
    if not isinstance(item, dict):
        return str(item)
    target = item.get("target")
    if target is None:
        fail(f"service ports {_indexed_docker_path(path)} is missing a target port", path)
    host, protocol = item.get("host_ip", "0.0.0.0"), item.get("protocol", "tcp")
    # With repr: docker compose takes a published port in quotes for another one than a number.
    return f"{host}:{item.get('published')!r}:{target}/{protocol}"


def _exposed_port(item: Any, path: Path) -> str:
    if isinstance(item, float):
        fail(f"{_indexed_docker_path(path)}: unsupported expose value {format_value(item)}", path)
    return format_value(item)


def _env_file_path(item: Any, _path: Path) -> str:
    return str(item.get("path")) if isinstance(item, dict) else str(item)


RULES = compile_rules({
    "networks.*.labels": _unique_by(_name_of),
    "networks.*.ipam.options": _unique_by(_name_of),
    "services.*.annotations": _unique_by(_name_of),
    "services.*.build.args": _unique_by(_name_of),
    "services.*.build.additional_contexts": _unique_by(_name_of),
    "services.*.build.no_cache_filter": _unique_by(_name_of),
    "services.*.build.tags": _unique_by(_name_of),
    "services.*.build.labels": _unique_by(_name_of),
    "services.*.cap_add": _unique_by(_name_of),
    "services.*.cap_drop": _unique_by(_name_of),
    "services.*.devices": _unique_by(_device_target),
    "services.*.configs": _unique_by(_file_mount_target("")),
    "services.*.deploy.labels": _unique_by(_name_of),
    "services.*.dns": _unique_by(_name_of),
    "services.*.dns_opt": _unique_by(_name_of),
    "services.*.dns_search": _unique_by(_name_of),
    "services.*.environment": _unique_by(_name_of),
    "services.*.env_file": _unique_by(_env_file_path),
    "services.*.expose": _unique_by(_exposed_port),
    "services.*.labels": _unique_by(_name_of),
    "services.*.links": _unique_by(_name_of),
    "services.*.networks.*.aliases": _unique_by(_name_of),
    "services.*.networks.*.link_local_ips": _unique_by(_name_of),
    "services.*.ports": _unique_by(_port_key),
    "services.*.profiles": _unique_by(_name_of),
    "services.*.secrets": _unique_by(_file_mount_target("/run/secrets")),
    "services.*.sysctls": _unique_by(_name_of),
    "services.*.tmpfs": _unique_by(_name_of),
    "services.*.volumes": _unique_by(_volume_target),
})  # fmt: skip
