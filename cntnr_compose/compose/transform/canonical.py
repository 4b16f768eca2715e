"""Expand short syntax to long syntax and fill in the defaults of the long syntax: rules by path."""

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
    PathRules,
    RewriteRule,
    apply_rules,
    compile_rules,
    docker_path,
)
from cntnr_compose.compose.transform.port_syntax import parse_ports
from cntnr_compose.compose.transform.volume_syntax import parse_volume
from cntnr_compose.core.frozen import Tree

Warn: TypeAlias = Callable[[str], None]
Wrap: TypeAlias = Callable[[RewriteRule], RewriteRule]


def expand_short_syntax(tree: Tree, warn: Warn, wrap: Wrap | None = None) -> Tree:
    """Rewrite short syntax in place; ``wrap`` decorates each rule.

    Raises `ComposeFileInvalid`.
    """
    apply_rules(tree, _wrap_rules(RULES, wrap) if wrap else RULES)
    for section in ("volumes", "networks", "secrets", "configs"):
        resources = tree.get(section)
        for key, resource in resources.items() if isinstance(resources, dict) else ():
            _expand_external(resource, (section, key), warn)
    _drop_empty_dns(tree)
    return tree


def fill_defaults(tree: Tree) -> Tree:
    """Fill in the defaults of the long syntax in place.

    Raises `ComposeFileInvalid`.
    """
    apply_rules(tree, DEFAULTS)
    return tree


def lenient(rule: RewriteRule) -> RewriteRule:
    """Keep values that a rule cannot parse, for trees whose variables are not replaced yet."""

    def apply_if_valid(value: Any, path: Path) -> Any:
        try:
            return rule(value, path)
        except ComposeFileInvalid:
            return value

    return apply_if_valid


def _wrap_rules(rules: PathRules, wrap: Wrap) -> PathRules:
    return {
        key: _wrap_rules(rule, wrap) if isinstance(rule, dict) else wrap(rule)
        for key, rule in rules.items()
    }


def _service(value: Any, path: Path) -> Any:
    if value is not None and not isinstance(value, dict):
        fail(f"{docker_path(path)} must be a mapping", path)
    return value


def _not_null(what: str, rule: RewriteRule) -> RewriteRule:
    """Refuse null before a rule: files that are extended have not been checked by the schema yet."""

    def check(value: Any, path: Path) -> Any:
        if value is None:
            fail(f"{docker_path(path)}: invalid type <nil> for {what}", path)
        return rule(value, path)

    return check


def _build(value: Any, _path: Path) -> Any:
    return {"context": value} if isinstance(value, str) else value


def _as_list(value: Any, _path: Path) -> Any:
    return [value] if isinstance(value, str) else value


def _file_mount(value: Any, _path: Path) -> Any:
    return {"source": value} if isinstance(value, str) else value


def _contexts(value: Any, path: Path) -> Any:
    if not isinstance(value, list):
        return value
    contexts = {}
    for word in value:
        key, equals, source = format_value(word).partition("=")
        if not equals:
            fail(f"{docker_path(path)}: invalid value {word}, expected key=value", path)
        contexts[key] = source
    return contexts


def _depends_on(value: Any, _path: Path) -> Any:
    if isinstance(value, list):
        return {
            format_value(key): {"condition": "service_started", "required": True} for key in value
        }
    for dependency in value.values() if isinstance(value, dict) else ():
        if isinstance(dependency, dict):
            dependency.setdefault("required", True)
    return value


def _env_file(value: Any, path: Path) -> Any:
    if isinstance(value, str):
        return [{"path": value, "required": True}]
    if isinstance(value, dict):
        fail(f"{docker_path(path)}: invalid type for env_file, a mapping", path)
    for index, entry in enumerate(value) if isinstance(value, list) else ():
        if isinstance(entry, str):
            value[index] = {"path": entry, "required": True}
        elif isinstance(entry, dict):
            entry.setdefault("required", True)
    return value


def _extends(value: Any, _path: Path) -> Any:
    return {"service": value} if isinstance(value, str) else value


def _gpus(value: Any, _path: Path) -> Any:
    return [{"count": value}] if isinstance(value, str) else value


def _names_as_mapping(value: Any, _path: Path) -> Any:
    return {format_value(key): None for key in value} if isinstance(value, list) else value


def _volume(value: Any, path: Path) -> Any:
    return parse_volume(value, path) if isinstance(value, str) else value


def _device(value: Any, path: Path) -> Any:
    if not isinstance(value, str):
        return value
    parts = value.split(":")
    if len(parts) > 3:
        fail(f'confusing device mapping, please use long syntax: "{value}"', path)
    source, target, permissions = (*parts, *["", "", "rwm"][len(parts) :])
    return {"source": source, "target": target or source, "permissions": permissions}


def _ports(value: Any, path: Path) -> Any:
    if not isinstance(value, list):
        return value
    ports: list[Any] = []
    diagnostics: list[Diagnostic] = []
    for index, entry in enumerate(value):
        if isinstance(entry, str) or (isinstance(entry, int) and not isinstance(entry, bool)):
            try:
                ports.extend(parse_ports(str(entry), (*path, index)))
            except ComposeFileInvalid as error:
                diagnostics += error.diagnostics
        else:
            ports.append(entry)
    fail_if_any(diagnostics)
    return ports


def _ssh(value: Any, path: Path) -> Any:
    if isinstance(value, dict):
        return {key: None if file is None else format_value(file) for key, file in value.items()}
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        return value
    keys: Tree = {}
    for word in value:
        key, equals, file = format_value(word).partition("=")
        if not equals and key != "default":
            fail(f'invalid ssh key "{key}"', path)
        keys[key] = file if equals else None
    return keys


def _bool_as_string(value: Any, _path: Path) -> Any:
    return format_value(value) if isinstance(value, bool) else value


def _watch(value: Any, _path: Path) -> Any:
    """Split a rule with several paths into one rule a path."""
    if not isinstance(value, list):
        return value
    rules: list[Any] = []
    for rule in value:
        paths = rule.get("path") if isinstance(rule, dict) else None
        if isinstance(paths, list):
            rules.extend(rule | {"path": path} for path in paths)
        else:
            rules.append(rule)
    return rules


def _expand_external(resource: Any, path: Path, warn: Warn) -> None:
    """Rewrite ``external: {name: N}``, the old form of ``external: true`` with ``name: N``."""
    if resource is None:
        return
    if not isinstance(resource, dict):
        fail(f"{docker_path(path)} must be a mapping", path)
    external = resource.get("external")
    if not isinstance(external, dict):
        return
    resource["external"] = True
    if "name" not in external:
        return
    where = docker_path(path)
    warn(f"{where}: external.name is deprecated. Please set name and external: true")
    if resource.setdefault("name", external["name"]) != external["name"]:
        fail(f"{where}: name and external.name conflict; only use name", path)


def _drop_empty_dns(tree: Tree) -> None:
    services = tree.get("services")
    for service in services.values() if isinstance(services, dict) else ():
        servers = service.get("dns") if isinstance(service, dict) else None
        if isinstance(servers, list):
            service["dns"] = [server for server in servers if server not in (None, "")]


def _build_defaults(value: Any, _path: Path) -> Any:
    if isinstance(value, dict):
        value.setdefault("context", ".")
    return value


def _port_defaults(value: Any, _path: Path) -> Any:
    if isinstance(value, dict):
        value.setdefault("protocol", "tcp")
        value.setdefault("mode", "ingress")
    return value


def _device_request_defaults(value: Any, _path: Path) -> Any:
    if isinstance(value, dict) and "count" not in value and "device_ids" not in value:
        value["count"] = "all"
    return value


def _secret_defaults(value: Any, _path: Path) -> Any:
    if isinstance(value, dict) and isinstance(value.get("source"), str):
        value.setdefault("target", f"/run/secrets/{value['source']}")
    return value


RULES = compile_rules({
    "services.*": _service,
    "services.*.build": _not_null("build", _build),
    "services.*.build.additional_contexts": _contexts,
    "services.*.build.secrets.*": _file_mount,
    "services.*.build.ssh": _ssh,
    "services.*.build.provenance": _bool_as_string,
    "services.*.build.sbom": _bool_as_string,
    "services.*.configs.*": _file_mount,
    "services.*.depends_on": _not_null("depend_on", _depends_on),
    "services.*.develop.watch": _watch,
    "services.*.develop.watch.*.ignore": _as_list,
    "services.*.develop.watch.*.include": _as_list,
    "services.*.devices.*": _device,
    "services.*.dns": _as_list,
    "services.*.env_file": _not_null("env_file", _env_file),
    "services.*.extends": _extends,
    "services.*.gpus": _not_null("gpus", _gpus),
    "services.*.label_file": _as_list,
    "services.*.models": _names_as_mapping,
    "services.*.networks": _names_as_mapping,
    "services.*.ports": _not_null("port", _ports),
    "services.*.secrets.*": _file_mount,
    "services.*.volumes.*": _volume,
})  # fmt: skip

DEFAULTS = compile_rules({
    "services.*.build": _build_defaults,
    "services.*.deploy.resources.reservations.devices.*": _device_request_defaults,
    "services.*.gpus.*": _device_request_defaults,
    "services.*.ports.*": _port_defaults,
    "services.*.secrets.*": _secret_defaults,
})  # fmt: skip
