"""The tree as text, in docker compose's two forms."""

from typing import Any

from cntnr_compose.compose.basics.diagnostics import Path
from cntnr_compose.compose.basics.path_rules import apply_rules, compile_rules
from cntnr_compose.compose.decode.decoders import Decoder
from cntnr_compose.compose.decode.keys import (
    DEPLOY_DECODERS,
    HOOK_DECODERS,
    NETWORK_DECODERS,
    SERVICE_DECODERS,
    WATCH_DECODERS,
)
from cntnr_compose.compose.yaml.key_order import sort_keys, sort_keys_deep
from cntnr_compose.compose.yaml.writer import to_yaml
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Tree

NOT_IN_JSON = ("models",)
LARGEST = 1e21  # from here on Go writes an exponent
# What stands below these keys are names, which may begin with x- too.
OF_NAMES = frozenset(
    {
        "services", "networks", "volumes", "configs", "secrets", "models", "depends_on", "ulimits",
        "environment", "labels", "annotations", "args", "sysctls", "options", "driver_opts",
        "storage_opt", "aux_addresses", "additional_contexts",
    }
)  # fmt: skip
# Letters that Go writes so, since JSON may stand in a page of HTML.
IN_PAGES = {
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
    """Write a tree as JSON, with what Go's encoder adds to it.

    Raises `SshKeyNotJson`.
    """
    shown = {
        key: _as_go(tree[key]) if key.startswith("x-") else _bare(tree[key], key)
        for key in sorted(tree)
        if key not in NOT_IN_JSON
    }
    apply_rules(shown, ADDED)
    return _json(shown).replace("$", "$$")


def _bare(value: Any, at: str) -> Any:
    """Copy without extensions, which docker compose does not print as JSON."""
    if isinstance(value, dict):
        return {
            key: _bare(one, "" if at in OF_NAMES else key)
            for key, one in value.items()
            if at in OF_NAMES or not key.startswith("x-")
        }
    return [_bare(one, "") for one in value] if isinstance(value, list) else value


def _always(kinds: dict[str, Decoder], **empty: Any) -> Any:
    """Make the rule that keys are there, in their place, though nothing is in them."""

    def change(value: Any, _path: Path) -> Any:
        there = {key: {} if one is dict else one for key, one in empty.items()} | value
        return {key: there[key] for key in kinds if key in there}

    return change


def _capitals(value: Any, _path: Path) -> Any:
    """Write the keys of a device's limits as Go does where nothing else is said."""
    return {key.capitalize(): one for key, one in value.items()}


def _ssh_key(value: Any, path: Path) -> Any:
    if ": " in value:
        raise SshKeyNotJson(str(path[1]), value)
    return value


ADDED = compile_rules({
    "services.*.build.ssh.*": _ssh_key,
    "services.*": _always(SERVICE_DECODERS, command=None, entrypoint=None),
    "services.*.blkio_config.weight_device.*": _capitals,
    "services.*.blkio_config.device_read_bps.*": _capitals,
    "services.*.blkio_config.device_read_iops.*": _capitals,
    "services.*.blkio_config.device_write_bps.*": _capitals,
    "services.*.blkio_config.device_write_iops.*": _capitals,
    "services.*.deploy": _always(DEPLOY_DECODERS, resources=dict, placement=dict),
    "services.*.develop.watch.*": _always(WATCH_DECODERS, exec=dict),
    "services.*.develop.watch.*.exec": _always(HOOK_DECODERS, command=None),
    "services.*.post_start.*": _always(HOOK_DECODERS, command=None),
    "services.*.pre_stop.*": _always(HOOK_DECODERS, command=None),
    "networks.*": _always(NETWORK_DECODERS, ipam=dict),
})  # fmt: skip


def render_yaml(tree: Tree) -> str:
    """Write a tree as YAML."""
    shown = {
        key: sort_keys_deep(value) if key.startswith("x-") else _sorted(value)
        for key, value in tree.items()
    }
    apply_rules(shown, SORTED)
    return to_yaml(shown).replace("$", "$$")


def render_untyped_yaml(tree: Tree) -> str:
    """Write a tree that was never typed as YAML; its variables stay."""
    return to_yaml(sort_keys_deep(tree))


def _sorted(value: Any) -> Any:
    """Copy, with the keys of extensions in order."""
    if isinstance(value, dict):
        return {
            key: sort_keys_deep(one) if key.startswith("x-") else _sorted(one)
            for key, one in value.items()
        }
    return [_sorted(one) for one in value] if isinstance(value, list) else value


def _in_order(value: Any, _path: Path) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: value[key] for key in sort_keys(value)}


SORTED = compile_rules(dict.fromkeys((
    "services", "networks", "volumes", "secrets", "configs", "models",
    "services.*.annotations", "services.*.depends_on", "services.*.environment",
    "services.*.labels", "services.*.models", "services.*.networks", "services.*.storage_opt",
    "services.*.sysctls", "services.*.ulimits", "services.*.logging.options",
    "services.*.provider.options", "services.*.networks.*.driver_opts",
    "services.*.build.additional_contexts", "services.*.build.args", "services.*.build.labels",
    "services.*.build.ulimits", "services.*.deploy.labels", "services.*.gpus.*.options",
    "services.*.deploy.resources.reservations.devices.*.options",
    "services.*.develop.watch.*.exec.environment",
    "services.*.post_start.*.environment", "services.*.pre_stop.*.environment",
    "services.*.volumes.*.volume.labels",
    "networks.*.driver_opts", "networks.*.labels", "networks.*.ipam.config.*.aux_addresses",
    "volumes.*.driver_opts", "volumes.*.labels", "secrets.*.driver_opts", "secrets.*.labels",
    "configs.*.driver_opts", "configs.*.labels",
), _in_order))  # fmt: skip


def render_untyped_json(tree: Tree) -> str:
    """Write a tree that was never typed as JSON; its variables stay."""
    return _json(_as_go(tree))


def _json(tree: Tree) -> str:
    import json

    text = json.dumps(tree, indent=2, ensure_ascii=False)
    for letter, code in IN_PAGES.items():
        text = text.replace(letter, code)
    return text


def _as_go(value: Any) -> Any:
    """Copy with keys in order, whole numbers without a fraction, and nothing for an empty list."""
    if isinstance(value, dict):
        return {key: _as_go(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_as_go(one) for one in value] or None
    is_whole = isinstance(value, float) and abs(value) < LARGEST and value.is_integer()
    return _whole(value) if is_whole else value


def _whole(value: float) -> int:
    """Write a float with zeros behind the digits that it needs."""
    from decimal import Decimal

    return int(Decimal(repr(value)))
