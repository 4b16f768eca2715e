"""Format a tree as docker compose does: YAML and JSON."""

from typing import Any

from cntnr_compose.compose.basics.diagnostics import Path
from cntnr_compose.compose.basics.path_rules import apply_rules, compile_rules
from cntnr_compose.compose.decode.decoders import Decoder
from cntnr_compose.compose.decode.keys import (
    DEPLOY_DECODERS,
    HOOK_DECODERS,
    NETWORK_DECODERS,
    PRE_START_DECODERS,
    SERVICE_DECODERS,
    WATCH_DECODERS,
)
from cntnr_compose.compose.yaml.key_order import sort_keys, sort_keys_deep
from cntnr_compose.compose.yaml.writer import to_yaml
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Tree

NOT_IN_JSON = ("models",)
EXPONENT_FROM = 1e21  # Go writes larger numbers with an exponent
# Keys below these are chosen by users, so x- marks no extension there.
USER_KEYED = frozenset(
    {
        "services", "networks", "volumes", "configs", "secrets", "models", "depends_on", "ulimits",
        "environment", "labels", "annotations", "args", "sysctls", "options", "driver_opts",
        "storage_opt", "aux_addresses", "additional_contexts",
    }
)  # fmt: skip
# Go escapes these letters, since JSON may be embedded in HTML.
HTML_ESCAPES = {
    "&": "\\u0026", "<": "\\u003c", ">": "\\u003e", "\u2028": "\\u2028", "\u2029": "\\u2029",
}  # fmt: skip


class SshKeyNotJson(CntnrError):
    """A build has an SSH key with a path, for which docker compose has no JSON."""

    hint = "print it with --format yaml"

    def __init__(self, service: str, key: str) -> None:
        super().__init__(
            f'cannot write service "{service}" as JSON: types.SSHKey "{key}" has a path'
        )


def render_json(tree: Tree) -> str:
    """Format a tree as JSON, with the empty values that docker compose prints.

    Raises `SshKeyNotJson`.
    """
    printed = {
        key: _as_go(tree[key]) if key.startswith("x-") else _without_extensions(tree[key], key)
        for key in sorted(tree)
        if key not in NOT_IN_JSON
    }
    apply_rules(printed, JSON_RULES)
    return to_go_json(printed).replace("$", "$$")


def _without_extensions(value: Any, parent: str) -> Any:
    """Copy without extensions, which docker compose does not print as JSON."""
    if isinstance(value, dict):
        if parent in USER_KEYED:
            return {key: _without_extensions(inner, "") for key, inner in value.items()}
        return {
            key: _without_extensions(inner, key)
            for key, inner in value.items()
            if not key.startswith("x-")
        }
    return [_without_extensions(item, "") for item in value] if isinstance(value, list) else value


def _with_empty(decoders: dict[str, Decoder], **empty: Any) -> Any:
    """Make a rule that adds empty values for keys, at their place in the print order."""

    def add_empty(value: Any, _path: Path) -> Any:
        values = {key: {} if default is dict else default for key, default in empty.items()} | value
        return {key: values[key] for key in decoders if key in values}

    return add_empty


def _capitalize_keys(value: Any, _path: Path) -> Any:
    """Write keys as Go does by default: docker compose declares no names of these for JSON."""
    return {key.capitalize(): inner for key, inner in value.items()}


def _check_ssh_key(value: Any, path: Path) -> Any:
    if ": " in value:
        raise SshKeyNotJson(str(path[1]), value)
    return value


JSON_RULES = compile_rules({
    "services.*.build.ssh.*": _check_ssh_key,
    "services.*": _with_empty(SERVICE_DECODERS, command=None, entrypoint=None),
    "services.*.blkio_config.weight_device.*": _capitalize_keys,
    "services.*.blkio_config.device_read_bps.*": _capitalize_keys,
    "services.*.blkio_config.device_read_iops.*": _capitalize_keys,
    "services.*.blkio_config.device_write_bps.*": _capitalize_keys,
    "services.*.blkio_config.device_write_iops.*": _capitalize_keys,
    "services.*.deploy": _with_empty(DEPLOY_DECODERS, resources=dict, placement=dict),
    "services.*.develop.watch.*": _with_empty(WATCH_DECODERS, exec=dict),
    "services.*.develop.watch.*.exec": _with_empty(HOOK_DECODERS, command=None),
    "services.*.pre_start.*": _with_empty(PRE_START_DECODERS, command=None),
    "services.*.post_start.*": _with_empty(HOOK_DECODERS, command=None),
    "services.*.pre_stop.*": _with_empty(HOOK_DECODERS, command=None),
    "networks.*": _with_empty(NETWORK_DECODERS, ipam=dict),
})  # fmt: skip


def render_yaml(tree: Tree) -> str:
    """Format a tree as YAML."""
    return render_literal_yaml(tree).replace("$", "$$")


def render_literal_yaml(tree: Tree) -> str:
    """Format a tree as YAML for programs that replace no variables: ``$`` is only that."""
    printed = {
        key: sort_keys_deep(value) if key.startswith("x-") else _with_sorted_extensions(value)
        for key, value in tree.items()
    }
    apply_rules(printed, YAML_RULES)
    return to_yaml(printed)


def render_untyped_yaml(tree: Tree) -> str:
    """Format a tree that was not decoded as YAML; its variables stay."""
    return to_yaml(sort_keys_deep(tree))


def _with_sorted_extensions(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: sort_keys_deep(inner) if key.startswith("x-") else _with_sorted_extensions(inner)
            for key, inner in value.items()
        }
    return [_with_sorted_extensions(item) for item in value] if isinstance(value, list) else value


def _sort_keys(value: Any, _path: Path) -> Any:
    return {key: value[key] for key in sort_keys(value)} if isinstance(value, dict) else value


YAML_RULES = compile_rules(dict.fromkeys((
    "services", "networks", "volumes", "secrets", "configs", "models",
    "services.*.annotations", "services.*.depends_on", "services.*.environment",
    "services.*.labels", "services.*.models", "services.*.networks", "services.*.storage_opt",
    "services.*.sysctls", "services.*.ulimits", "services.*.logging.options",
    "services.*.provider.options", "services.*.networks.*.driver_opts",
    "services.*.build.additional_contexts", "services.*.build.args", "services.*.build.labels",
    "services.*.build.ulimits", "services.*.deploy.labels", "services.*.gpus.*.options",
    "services.*.deploy.resources.reservations.devices.*.options",
    "services.*.develop.watch.*.exec.environment",
    "services.*.pre_start.*.environment", "services.*.post_start.*.environment",
    "services.*.pre_stop.*.environment",
    "services.*.volumes.*.volume.labels",
    "networks.*.driver_opts", "networks.*.labels", "networks.*.ipam.config.*.aux_addresses",
    "volumes.*.driver_opts", "volumes.*.labels", "secrets.*.driver_opts", "secrets.*.labels",
    "configs.*.driver_opts", "configs.*.labels",
), _sort_keys))  # fmt: skip


def render_untyped_json(tree: Tree) -> str:
    """Format a tree that was not decoded as JSON; its variables stay."""
    return to_go_json(_as_go(tree))


def to_go_json(tree: Tree) -> str:
    """Format a tree as Go does, in the order of its keys."""
    import json

    text = json.dumps(tree, indent=2, ensure_ascii=False)
    for letter, code in HTML_ESCAPES.items():
        text = text.replace(letter, code)
    return text


def _as_go(value: Any) -> Any:
    """Copy as Go encodes it: keys sorted, whole numbers without a fraction, null for an empty list."""
    if isinstance(value, dict):
        return {key: _as_go(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_as_go(item) for item in value] or None
    is_whole = isinstance(value, float) and abs(value) < EXPONENT_FROM and value.is_integer()
    return _shortest_integer(value) if is_whole else value


def _shortest_integer(value: float) -> int:
    """Convert a float by its shortest digits, filled up with zeros, as Go formats it."""
    from decimal import Decimal

    return int(Decimal(repr(value)))
