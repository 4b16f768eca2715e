"""The tree as text, in docker compose's two forms."""

from typing import Any

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree
from cntnr_compose.load.rows import Path, rewrite, table

NOT_IN_JSON = ("models",)


class SshKeyNotJson(CntnrError):
    """A build has an SSH key with a path, for which docker compose has no JSON."""

    hint = "print it with --format yaml"

    def __init__(self, service: str, key: str) -> None:
        super().__init__(
            f'cannot write service "{service}" as JSON: types.SSHKey "{key}" has a path'
        )


def to_json(tree: Tree) -> str:
    """Write a tree as JSON, with what Go's encoder adds to it.

    Raises `SshKeyNotJson`.
    """
    import json

    shown = {key: value if key.startswith("x-") else _bare(value) for key, value in tree.items()}
    for section in NOT_IN_JSON:
        shown.pop(section, None)
    rewrite(shown, ADDED)
    return json.dumps(shown, indent=2, ensure_ascii=False).replace("$", "$$")


def _bare(value: Any) -> Any:
    """Copy without extensions, which docker compose does not print as JSON."""
    if isinstance(value, dict):
        return {key: _bare(one) for key, one in value.items() if not key.startswith("x-")}
    return [_bare(one) for one in value] if isinstance(value, list) else value


def _always(**empty: Any) -> Any:
    """Make the rule that keys are there though nothing is in them."""

    def change(value: Any, _path: Path) -> Any:
        return {**{key: {} if one is dict else one for key, one in empty.items()}, **value}

    return change


def _capitals(value: Any, _path: Path) -> Any:
    """Write the keys of a device's limits as Go does where nothing else is said."""
    return {key.capitalize(): one for key, one in value.items()}


def _ssh_key(value: Any, path: Path) -> Any:
    if ": " in value:
        raise SshKeyNotJson(str(path[1]), value)
    return value


ADDED = table({
    "services.*.build.ssh.*": _ssh_key,
    "services.*": _always(command=None, entrypoint=None),
    "services.*.blkio_config.weight_device.*": _capitals,
    "services.*.blkio_config.device_read_bps.*": _capitals,
    "services.*.blkio_config.device_read_iops.*": _capitals,
    "services.*.blkio_config.device_write_bps.*": _capitals,
    "services.*.blkio_config.device_write_iops.*": _capitals,
    "services.*.deploy": _always(resources=dict, placement=dict),
    "services.*.develop.watch.*": _always(exec=dict),
    "services.*.develop.watch.*.exec": _always(command=None),
    "services.*.post_start.*": _always(command=None),
    "services.*.pre_stop.*": _always(command=None),
    "networks.*": _always(ipam=dict),
})  # fmt: skip
