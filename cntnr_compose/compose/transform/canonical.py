"""Short syntax to long syntax, and the defaults that the long syntax has: rules by path."""

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
from cntnr_compose.compose.transform import port_syntax, volume_syntax
from cntnr_compose.core.frozen import Tree

Warn: TypeAlias = Callable[[str], None]
Wrap: TypeAlias = Callable[[RewriteRule], RewriteRule]


def expand_short_syntax(tree: Tree, warn: Warn, wrap: Wrap | None = None) -> Tree:
    """Rewrite short syntax; ``wrap`` may put something around each of the rules.

    Raises `ComposeFileInvalid`.
    """
    apply_rules(tree, _wrap_rules(RULES, wrap) if wrap else RULES)
    for section in ("volumes", "networks", "secrets", "configs"):
        found = tree.get(section)
        for key, resource in found.items() if isinstance(found, dict) else ():
            _external(resource, (section, key), warn)
    _omit_empty(tree)
    return tree


def fill_defaults(tree: Tree) -> Tree:
    """Fill in what the long syntax leaves out.

    Raises `ComposeFileInvalid`.
    """
    apply_rules(tree, DEFAULTS)
    return tree


def lenient(change: RewriteRule) -> RewriteRule:
    """Leave what a rule cannot read as it is, since variables are still in it."""

    def change_if_readable(value: Any, path: Path) -> Any:
        try:
            return change(value, path)
        except ComposeFileInvalid:
            return value

    return change_if_readable


def _wrap_rules(rows: PathRules, wrap: Wrap) -> PathRules:
    return {
        key: _wrap_rules(one, wrap) if isinstance(one, dict) else wrap(one)
        for key, one in rows.items()
    }


def _service(value: Any, path: Path) -> Any:
    if value is not None and not isinstance(value, dict):
        fail(f"{docker_path(path)} must be a mapping", path)
    return value


def _not_null(what: str, change: RewriteRule) -> RewriteRule:
    """Refuse null; where a file is extended, no schema has looked at it before."""

    def check(value: Any, path: Path) -> Any:
        if value is None:
            fail(f"{docker_path(path)}: invalid type <nil> for {what}", path)
        return change(value, path)

    return check


def _build(value: Any, _path: Path) -> Any:
    return {"context": value} if isinstance(value, str) else value


def _list(value: Any, _path: Path) -> Any:
    return [value] if isinstance(value, str) else value


def _file_mount(value: Any, _path: Path) -> Any:
    return {"source": value} if isinstance(value, str) else value


def _contexts(value: Any, path: Path) -> Any:
    if not isinstance(value, list):
        return value
    done = {}
    for word in value:
        key, equals, source = format_value(word).partition("=")
        if not equals:
            fail(f"{docker_path(path)}: invalid value {word}, expected key=value", path)
        done[key] = source
    return done


def _depends_on(value: Any, _path: Path) -> Any:
    if isinstance(value, list):
        return {
            format_value(key): {"condition": "service_started", "required": True} for key in value
        }
    for one in value.values() if isinstance(value, dict) else ():
        if isinstance(one, dict):
            one.setdefault("required", True)
    return value


def _env_file(value: Any, path: Path) -> Any:
    if isinstance(value, str):
        return [{"path": value, "required": True}]
    if isinstance(value, dict):
        fail(f"{docker_path(path)}: invalid type for env_file, a mapping", path)
    for index, one in enumerate(value) if isinstance(value, list) else ():
        if isinstance(one, str):
            value[index] = {"path": one, "required": True}
        elif isinstance(one, dict):
            one.setdefault("required", True)
    return value


def _extends(value: Any, _path: Path) -> Any:
    return {"service": value} if isinstance(value, str) else value


def _gpus(value: Any, _path: Path) -> Any:
    return [{"count": value}] if isinstance(value, str) else value


def _names(value: Any, _path: Path) -> Any:
    return {format_value(key): None for key in value} if isinstance(value, list) else value


def _volume(value: Any, path: Path) -> Any:
    if isinstance(value, str):
        return volume_syntax.parse_volume(value, path)
    return value


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
    done: list[Any] = []
    refused: list[Diagnostic] = []
    for index, one in enumerate(value):
        if isinstance(one, str) or (isinstance(one, int) and not isinstance(one, bool)):
            try:
                done.extend(port_syntax.parse_ports(str(one), (*path, index)))
            except ComposeFileInvalid as error:
                refused += error.diagnostics
        else:
            done.append(one)
    fail_if_any(refused)
    return done


def _ssh(value: Any, path: Path) -> Any:
    if isinstance(value, dict):
        return {key: one if one is None else format_value(one) for key, one in value.items()}
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        return value
    done: Tree = {}
    for word in value:
        key, equals, file = format_value(word).partition("=")
        if not equals and key != "default":
            fail(f'invalid ssh key "{key}"', path)
        done[key] = file if equals else None
    return done


def _switch(value: Any, _path: Path) -> Any:
    return format_value(value) if isinstance(value, bool) else value


def _watch(value: Any, _path: Path) -> Any:
    """A rule for several paths is as many rules."""
    if not isinstance(value, list):
        return value
    done: list[Any] = []
    for one in value:
        paths = one.get("path") if isinstance(one, dict) else None
        done.extend([one | {"path": path} for path in paths] if isinstance(paths, list) else [one])
    return done


def _external(resource: Any, path: Path, warn: Warn) -> None:
    """``external: {name: N}`` is the old form of ``external: true`` and ``name: N``."""
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


def _omit_empty(tree: Tree) -> None:
    services = tree.get("services")
    for service in services.values() if isinstance(services, dict) else ():
        words = service.get("dns") if isinstance(service, dict) else None
        if isinstance(words, list):
            service["dns"] = [word for word in words if word not in (None, "")]


def _context(value: Any, _path: Path) -> Any:
    if isinstance(value, dict):
        value.setdefault("context", ".")
    return value


def _port_defaults(value: Any, _path: Path) -> Any:
    if isinstance(value, dict):
        value.setdefault("protocol", "tcp")
        value.setdefault("mode", "ingress")
    return value


def _request(value: Any, _path: Path) -> Any:
    if isinstance(value, dict) and "count" not in value and "device_ids" not in value:
        value["count"] = "all"
    return value


def _secret(value: Any, _path: Path) -> Any:
    if isinstance(value, dict) and isinstance(value.get("source"), str):
        value.setdefault("target", f"/run/secrets/{value['source']}")
    return value


RULES = compile_rules({
    "services.*": _service,
    "services.*.build": _not_null("build", _build),
    "services.*.build.additional_contexts": _contexts,
    "services.*.build.secrets.*": _file_mount,
    "services.*.build.ssh": _ssh,
    "services.*.build.provenance": _switch,
    "services.*.build.sbom": _switch,
    "services.*.configs.*": _file_mount,
    "services.*.depends_on": _not_null("depend_on", _depends_on),
    "services.*.develop.watch": _watch,
    "services.*.develop.watch.*.ignore": _list,
    "services.*.develop.watch.*.include": _list,
    "services.*.devices.*": _device,
    "services.*.dns": _list,
    "services.*.env_file": _not_null("env_file", _env_file),
    "services.*.extends": _extends,
    "services.*.gpus": _not_null("gpus", _gpus),
    "services.*.label_file": _list,
    "services.*.models": _names,
    "services.*.networks": _names,
    "services.*.ports": _not_null("port", _ports),
    "services.*.secrets.*": _file_mount,
    "services.*.volumes.*": _volume,
})  # fmt: skip

DEFAULTS = compile_rules({
    "services.*.build": _context,
    "services.*.deploy.resources.reservations.devices.*": _request,
    "services.*.gpus.*": _request,
    "services.*.ports.*": _port_defaults,
    "services.*.secrets.*": _secret,
})  # fmt: skip
