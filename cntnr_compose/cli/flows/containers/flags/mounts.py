"""Read the mounts of a new container: `-v`, `--mount` and `--volumes-from`."""

import csv
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.flows.shared_arguments import BadOption
from cntnr_compose.core.errors import CntnrError, did_you_mean
from cntnr_compose.core.frozen import Tree

if TYPE_CHECKING:
    from cntnr_compose.model.project import Volume

# Fields of `--mount` and the keys of a compose mount that they set; further names of a field follow.
FIELDS: dict[str, tuple[str, ...]] = {
    "type": ("type",),
    "source": ("source",),
    "target": ("target",),
    "consistency": ("consistency",),
    "bind-propagation": ("bind", "propagation"),
    "bind-recursive": ("bind", "recursive"),
    "volume-subpath": ("volume", "subpath"),
    "image-subpath": ("image", "subpath"),
    "tmpfs-size": ("tmpfs", "size"),
}
OTHER_NAMES = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly"}
SWITCHES: dict[str, tuple[str, ...]] = {
    "readonly": ("read_only",),
    "volume-nocopy": ("volume", "nocopy"),
}
# Fields of which there may be several, as NAME=VALUE.
PAIRS = {"volume-opt": "driver_opts", "volume-label": "labels"}
OTHERS = ("tmpfs-mode", "volume-driver", "bind-nonrecursive")
BOOLEANS = {"": True, "true": True, "1": True, "false": False, "0": False}


class MountTwice(CntnrError):
    """Two mounts have one place in the container."""

    def __init__(self, target: str) -> None:
        super().__init__(f"duplicate mount point: {target}")


def map_mounts(flags: Mapping[str, Any]) -> Tree:
    """Return the keys of a service for the flags about mounts. Raises `MountTwice`, `BadOption`."""
    keys: Tree = {}
    mounts = [*flags["volume"], *(parse_mount(text)[0] for text in flags["mount"])]
    if mounts:
        _check_targets(mounts)
        keys["volumes"] = mounts
    if flags["volumes_from"]:
        keys["volumes_from"] = [f"container:{text}" for text in flags["volumes_from"]]
    return keys


def describe_volumes(flags: Mapping[str, Any]) -> "tuple[Volume, ...]":
    """Return the volumes that `--mount` describes by options or labels, for those that do not exist yet."""
    from cntnr_compose.model.project import Volume

    parsed = [parse_mount(text) for text in flags["mount"]]
    return tuple(
        Volume(key=mount["source"], name=mount["source"], external=True, **described)
        for mount, described in parsed
        if described
    )


def _check_targets(mounts: list[str | Tree]) -> None:
    from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
    from cntnr_compose.compose.transform.volume_syntax import clean_path, parse_volume

    targets = set()
    for mount in mounts:
        try:
            tree = parse_volume(mount) if isinstance(mount, str) else mount
        except ComposeFileInvalid as error:
            raise BadOption("--volume", str(mount), error.diagnostics[0].message) from None
        target = clean_path(str(tree.get("target", "")))
        if target in targets:
            raise MountTwice(target)
        targets.add(target)


def parse_mount(text: str) -> tuple[Tree, Tree]:
    """Read ``type=TYPE,src=SOURCE,dst=TARGET,…`` as CSV; return the mount, and what describes its volume.

    Raises `BadOption`.
    """
    mount: Tree = {"type": "volume"}
    described: Tree = {}
    for word in next(csv.reader([text]), []):
        key, equals, value = word.partition("=")
        key = OTHER_NAMES.get(key.strip().lower(), key.strip().lower())
        if key in FIELDS and equals:
            _set(mount, FIELDS[key], value)
        elif key in SWITCHES:
            _set(mount, SWITCHES[key], _parse_boolean(text, key, value))
        elif key in PAIRS and value:
            name, _, chosen = value.partition("=")
            described.setdefault(PAIRS[key], {})[name] = chosen
        elif key in OTHERS:
            _set_other(mount, text, key, value)
        else:
            known = (*FIELDS, *OTHER_NAMES, *SWITCHES, *PAIRS, *OTHERS)
            why = f"unexpected key '{key}'" if equals else f"{word} must be a key=value pair"
            raise BadOption("--mount", text, why, did_you_mean(key, known))
    _check(text, mount, described)
    return mount, described


def _set(mount: Tree, path: tuple[str, ...], value: Any) -> None:
    *above, last = path
    for step in above:
        mount = mount.setdefault(step, {})
    mount[last] = value


def _parse_boolean(text: str, key: str, value: str) -> bool:
    if value.lower() not in BOOLEANS:
        raise BadOption("--mount", text, f"{key} is true or false")
    return BOOLEANS[value.lower()]


def _set_other(mount: Tree, text: str, key: str, value: str) -> None:
    if key == "tmpfs-mode":
        if not value or not set(value) <= set("01234567"):
            raise BadOption("--mount", text, "tmpfs-mode is an octal number")
        _set(mount, ("tmpfs", "mode"), int(value, 8))
    elif key == "bind-nonrecursive":
        if _parse_boolean(text, key, value):
            _set(mount, ("bind", "recursive"), "disabled")
    elif value not in ("", "local"):
        raise BadOption("--mount", text, "volumes have the local driver")


def _check(text: str, mount: Tree, described: Tree) -> None:
    if not mount.get("target"):
        raise BadOption("--mount", text, "it needs dst=PATH")
    kind = mount["type"]
    for part in ("bind", "volume", "tmpfs", "image"):
        if part in mount and part != kind:
            raise BadOption(
                "--mount", text, f"it is a mount of type {kind}, and has fields of {part}"
            )
    if described and (kind != "volume" or not mount.get("source")):
        raise BadOption(
            "--mount", text, "volume-opt and volume-label need type=volume and src=NAME"
        )
    if kind == "bind":
        # As docker: unlike -v, this makes no folder.
        mount.setdefault("bind", {}).setdefault("create_host_path", False)
