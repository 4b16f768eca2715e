"""Find the delegated cgroup below which containers get groups with limits, and enable its controllers.

Two kinds are supported. A delegated cgroup v2 (`systemd-run --user --scope -p Delegate=yes`): its processes
are moved into a leaf first, since a group that enables controllers for its children may have no processes
(cgroup-v2, "No Internal Process Constraint"). And cgroup v1, where an administrator gave the user a group of
one name in every hierarchy.
"""

import contextlib
import os
from pathlib import Path

from cntnr_compose.core.values import Value

MOUNT = Path("/sys/fs/cgroup")
LEAF = "cntnr-commands"
V2 = ("cpu", "cpuset", "io", "memory", "pids")
V1 = {"cpu": "cpu", "cpuset": "cpuset", "blkio": "io", "memory": "memory", "pids": "pids"}


class DelegatedCgroup(Value, frozen=True, kw_only=True):
    """A cgroup that belongs to this user, and the controllers that it has."""

    version: int
    parent: str  # below the mount point
    controllers: tuple[str, ...]  # by their names in v2
    swap: bool = False


def find_delegated(
    mount: Path = MOUNT, own: Path = Path("/proc/self/cgroup")
) -> DelegatedCgroup | None:
    """Find the group of this process where it belongs to the user; else None."""
    lines = [line.split(":", 2) for line in own.read_text().splitlines()]
    groups = {name: path for _, names, path in lines for name in names.split(",")}
    return _find_v2(mount, groups.get("", "")) or _find_v1(mount, groups)


def _find_v2(mount: Path, path: str) -> DelegatedCgroup | None:
    path = path.removesuffix(f"/{LEAF}")
    folder = mount / path.lstrip("/")
    if not path.strip("/") or not _is_writable(folder / "cgroup.subtree_control"):
        return None
    available = (folder / "cgroup.controllers").read_text().split()
    controllers = tuple(name for name in V2 if name in available)
    swap = (folder / "memory.swap.max").exists()
    if not controllers:
        return None
    return DelegatedCgroup(version=2, parent=path, controllers=controllers, swap=swap)


def _find_v1(mount: Path, groups: dict[str, str]) -> DelegatedCgroup | None:
    """Find a group that is ours in every hierarchy: runc refuses one that is ours only in some."""
    by_hierarchy = {name.removeprefix("name="): path for name, path in groups.items() if name}
    paths = set(by_hierarchy.values())
    path = next(iter(paths), "")
    if len(paths) != 1 or not path.strip("/"):
        return None
    if not all(_is_writable(mount / name / path.lstrip("/") / "tasks") for name in by_hierarchy):
        return None
    swap = (mount / "memory" / path.lstrip("/") / "memory.memsw.limit_in_bytes").exists()
    controllers = tuple(sorted(V1[name] for name in by_hierarchy if name in V1))
    return DelegatedCgroup(version=1, parent=path, controllers=controllers, swap=swap)


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def enable_controllers(group: DelegatedCgroup, mount: Path = MOUNT) -> bool:
    """Enable the controllers of a group for the groups below it; return whether that worked.

    With v2, move the processes of the group into a leaf of it first.
    """
    if group.version == 1:
        return True
    folder = mount / group.parent.lstrip("/")
    leaf = folder / LEAF
    try:
        leaf.mkdir(exist_ok=True)
        for pid in (folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                (leaf / "cgroup.procs").write_text(pid)
        enable = " ".join(f"+{name}" for name in group.controllers)
        (folder / "cgroup.subtree_control").write_text(enable)
    except OSError:
        return False
    return True
