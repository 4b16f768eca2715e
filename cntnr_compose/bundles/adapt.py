"""Adapt config.json of a bundle that others made to what this user may do, and tell what was changed.

What an ordinary user may not do would make the runtime fail: ids that are not the user's, cgroups, devices
that have to be made. Whatever a bundle says is done with the rights of the user, mounts and hooks included.
"""

import os
import resource
from collections.abc import Callable, Iterable
from pathlib import Path
from posixpath import normpath
from typing import Any

from cntnr_compose.bundles.check import list_hooks
from cntnr_compose.bundles.config import find_hook_program
from cntnr_compose.bundles.place import BundlePlace
from cntnr_compose.core.errors import ProgramMissing
from cntnr_compose.core.values import Tree, Value, from_json, to_json
from cntnr_compose.host.proc import IdMap

BOUND = ("bind", "rbind")
TTY_GROUP = "gid=5"


class Machine(Value, frozen=True, kw_only=True):
    """What a bundle is adapted to."""

    is_root: bool = False
    rows: dict[str, IdMap]  # of ids that the user may map, by ``uid`` and ``gid``
    has_terminal: bool = False


def adapt(place: BundlePlace, config: Tree, machine: Machine) -> tuple[Tree, list[str]]:
    """Return a config that this user can run, and a sentence for each change and each danger."""
    changed = from_json(to_json(config), Tree)
    notes: list[str] = []
    if changed["process"].get("terminal") and not machine.has_terminal:
        changed["process"]["terminal"] = False
        changed["process"].pop("consoleSize", None)
        notes.append("it gets no terminal, since standard input and output are none")
    if not machine.is_root:
        for step in (_map_ids, _drop_cgroups, _drop_devices, _mount_sys, _limit):
            step(changed, machine, notes.append)
    notes += _dangers(place, changed)
    return changed, notes


def locate_sources(place: BundlePlace, config: Tree) -> Tree:
    """Return a config for another folder: relative paths become those of the bundle."""
    moved = from_json(to_json(config), Tree)
    moved["root"]["path"] = str(place.path / config["root"]["path"])
    for mount in moved.get("mounts") or ():
        source = mount.get("source", "")
        if _is_bind(mount) and source and not source.startswith("/"):
            mount["source"] = str(place.path / source)
    return moved


def _is_bind(mount: Tree) -> bool:
    return mount.get("type") == "bind" or bool(set(BOUND) & set(mount.get("options") or ()))


def _has_namespace(config: Tree, kind: str) -> bool:
    spaces = (config.get("linux") or {}).get("namespaces") or ()
    return any(space.get("type") == kind for space in spaces)


def _map_ids(config: Tree, machine: Machine, note: Callable[[str], None]) -> None:
    """Have the container run in a user namespace, with ids that the user may map."""
    linux = config.setdefault("linux", {})
    if not _has_namespace(config, "user"):
        linux.setdefault("namespaces", []).append({"type": "user"})
        note("it runs in a user namespace, as everything that an ordinary user runs")
    elif any("path" in one for one in linux["namespaces"] if one.get("type") == "user"):
        return  # it joins one that is there
    for kind, rows in machine.rows.items():
        mappings = linux.get(f"{kind}Mappings") or []
        if mappings and all(_is_allowed(mapping, rows) for mapping in mappings):
            continue
        linux[f"{kind}Mappings"] = [
            {"containerID": inside, "hostID": outside, "size": count}
            for inside, outside, count in rows
        ]
        if mappings:
            note(f"its {kind}Mappings are not this user's ids: they were replaced by those")


def _is_allowed(mapping: Any, rows: IdMap) -> bool:
    first, size = mapping.get("hostID"), mapping.get("size")
    if type(first) is not int or type(size) is not int or size < 1:
        return False
    return any(low <= first and first + size <= low + count for _, low, count in rows)


def _drop_cgroups(config: Tree, _machine: Machine, note: Callable[[str], None]) -> None:
    linux = config["linux"]
    limits = {key for key, value in (linux.pop("resources", None) or {}).items() if value}
    if limits - {"devices"} or linux.get("cgroupsPath"):
        note("resources and cgroupsPath have no effect: an ordinary user's runtime has no cgroup")
    linux.pop("cgroupsPath", None)
    mounts = config.get("mounts") or []
    config["mounts"] = [mount for mount in mounts if mount.get("type") not in ("cgroup", "cgroup2")]
    if len(config["mounts"]) < len(mounts):
        note("cgroups are not mounted")


def _drop_devices(config: Tree, _machine: Machine, note: Callable[[str], None]) -> None:
    """Leave out devices that are not there: the runtime binds them, since it may make none."""
    devices = config["linux"].get("devices") or []
    usable = [device for device in devices if _is_device(device.get("path"))]
    for device in devices:
        if device not in usable:
            note(
                f"device {str(device.get('path'))[:200]!r} is left out: this machine has none there"
            )
    if devices:
        config["linux"]["devices"] = usable


def _is_device(path: Any) -> bool:
    if not isinstance(path, str) or "\0" in path or normpath(path) != path:
        return False
    file = Path(path)
    return path.startswith("/dev/") and (file.is_char_device() or file.is_block_device())


def _mount_sys(config: Tree, machine: Machine, note: Callable[[str], None]) -> None:
    """Bind /sys where the network is the host's: only owners of a network namespace may mount sysfs."""
    has_network = _has_namespace(config, "network")
    for mount in config["mounts"]:
        if mount.get("type") == "sysfs" and not has_network:
            mount |= {"type": "none", "source": "/sys"}
            mount["options"] = ["rbind", "nosuid", "noexec", "nodev", "ro"]
            note("/sys is the machine's, since its network is")
        options = mount.get("options") or []
        if TTY_GROUP in options and sum(count for _, _, count in machine.rows["gid"]) <= 5:
            mount["options"] = [option for option in options if option != TTY_GROUP]


def _limit(config: Tree, _machine: Machine, note: Callable[[str], None]) -> None:
    """Lower what an ordinary user may not raise."""
    process = config["process"]
    user = process.get("user")
    if isinstance(user, dict) and user.pop("additionalGids", None):
        note("additionalGids have no effect: runc sets none for an ordinary user")
    if isinstance(process.get("oomScoreAdj"), int) and process["oomScoreAdj"] < 0:
        del process["oomScoreAdj"]
        note("oomScoreAdj has no effect: only root may have a process spared")
    for limit in process.get("rlimits") or ():
        number = getattr(resource, str(limit.get("type")), None)
        hard = resource.getrlimit(number)[1] if isinstance(number, int) else resource.RLIM_INFINITY
        if hard == resource.RLIM_INFINITY:
            continue
        for key in ("hard", "soft"):
            if isinstance(limit.get(key), int) and limit[key] > hard:
                limit[key] = hard
                note(f"{limit['type']} is {hard}, since this user may have no more")


def _own_hook() -> str:
    try:
        return find_hook_program()
    except ProgramMissing:
        return ""


def _dangers(place: BundlePlace, config: Tree) -> Iterable[str]:
    """Tell what a bundle does with this machine."""
    own = _own_hook()
    for kind, hook in list_hooks(config):
        if hook["path"] != own and kind != "startContainer":
            yield f"its {kind} hook {hook['path']} runs as you, outside of the container"
    base = os.path.realpath(place.path)
    for mount in config.get("mounts") or ():
        source = mount.get("source", "")
        real = os.path.realpath(place.path / source)
        if _is_bind(mount) and not real.startswith(f"{base}/") and real != "/sys":
            yield f"it mounts {source} of this machine at {mount['destination']}"
