"""Find the delegated cgroup below which containers get groups with limits; read what such a group uses.

Two kinds are supported. A delegated cgroup v2 (`systemd-run --user --scope -p Delegate=yes`): its processes
are moved into a leaf first, since a group that enables controllers for its children may have no processes
(cgroup-v2, "No Internal Process Constraint"). And cgroup v1, where an administrator gave the user a group of
one name in every hierarchy.
"""

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from cntnr_compose.core.frozen import Bytes, Frozen, Seconds

MOUNT = Path("/sys/fs/cgroup")
LEAF = "cntnr-commands"
ELSEWHERE = "0"  # how a process of another pid namespace reads; written, it means the writer
V2 = ("cpu", "cpuset", "io", "memory", "pids")
LIMIT_FILES = ("cpu.weight", "memory.max", "pids.max")  # any number will do
UNLIMITED: Bytes = 1 << 60  # v1 writes a number near 2^63 where there is no limit
V1 = {"cpu": "cpu", "cpuset": "cpuset", "blkio": "io", "memory": "memory", "pids": "pids"}


class DelegatedCgroup(Frozen):
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
    return describe_group(path, mount)


def describe_group(path: str, mount: Path = MOUNT) -> DelegatedCgroup | None:
    """Read what a group of v2 has of the controllers that limits need; None where it has none of them."""
    folder = mount / path.lstrip("/")
    available = " ".join(_read_lines(folder / "cgroup.controllers")).split()
    controllers = tuple(name for name in V2 if name in available)
    swap = (folder / "memory.swap.max").exists()
    if not controllers:
        return None
    return DelegatedCgroup(version=2, parent=path, controllers=controllers, swap=swap)


def is_unified(mount: Path = MOUNT) -> bool:
    """Tell whether this machine has cgroup v2 alone."""
    return (mount / "cgroup.controllers").exists()


def read_group(pid: str) -> str:
    """Read which group of v2 a process is in; '' where it has ended."""
    lines = _read_lines(Path("/proc", pid, "cgroup"))
    return next((line.removeprefix("0::") for line in lines if line.startswith("0::")), "")


def list_members(group: str, mount: Path = MOUNT) -> list[int]:
    """List the pids of the processes in a group of v2; none where it is gone."""
    return [int(line) for line in _read_lines(mount / group.lstrip("/") / "cgroup.procs")]


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
            if pid != ELSEWHERE:
                with contextlib.suppress(ProcessLookupError):
                    (leaf / "cgroup.procs").write_text(pid)
        enable = " ".join(f"+{name}" for name in group.controllers)
        (folder / "cgroup.subtree_control").write_text(enable)
    except OSError:
        return False
    return True


def bring(pid: int, mount: Path = MOUNT) -> None:
    """Move a process into the group of v2 that this one is in, where both are in groups of the user's."""
    group = read_group("self")
    if group.strip("/") and is_unified(mount):
        with contextlib.suppress(OSError):
            (mount / group.lstrip("/") / "cgroup.procs").write_text(str(pid))


def try_limits(name: str, mount: Path = MOUNT) -> str:
    """Make a group with limits beside the leaf that this process is in; return the reason of a failure."""
    group = find_delegated(mount)
    if group is None or group.version == 1:
        return "" if group else "no group was given to the user"
    folder = mount / group.parent.lstrip("/") / name
    try:
        folder.mkdir()
        try:
            for file in LIMIT_FILES:
                if (folder / file).exists():
                    (folder / file).write_text("100")
        finally:
            folder.rmdir()
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    return ""


def has_oom_kill(path: str, mount: Path = MOUNT) -> bool:
    """Check whether the kernel has killed a process of a group that used its memory up."""
    below = path.lstrip("/")
    files = (mount / below / "memory.events", mount / "memory" / below / "memory.oom_control")
    return bool(below) and any(_read_pairs(file).get("oom_kill") for file in files)


class GroupUsage(Frozen):
    """What the processes of a cgroup use; None or 0 where its controllers do not tell."""

    cpu_time: Seconds | None = None  # since the group was made
    memory: Bytes | None = None  # without the cache that is not in use, as docker counts it
    memory_limit: Bytes = 0
    io: tuple[Bytes, Bytes] | None = None  # read, written
    threads: int = 0


def read_usage(text: str, name: str, mount: Path = MOUNT) -> GroupUsage:
    """Read what the group called ``name`` uses, by the text of /proc/PID/cgroup of a process in it.

    Where the process is in no group of that name all is unknown: it shares its group with others.
    """
    paths = {
        controller: path.lstrip("/")
        for _, controllers, path in (line.split(":", 2) for line in text.splitlines())
        for controller in controllers.split(",")
        if path.rpartition("/")[2] == name
    }
    if paths.get(""):
        return _read_usage_v2(mount / paths[""])
    return _read_usage_v1({key: mount / key / path for key, path in paths.items() if key})


def _read_usage_v2(group: Path) -> GroupUsage:
    memory, limit = _read_number(group / "memory.current"), _read_number(group / "memory.max")
    cpu = _read_pairs(group / "cpu.stat").get("usage_usec")
    cache = _read_pairs(group / "memory.stat").get("inactive_file", 0)
    fields = [word for line in _read_lines(group / "io.stat") for word in line.split()[1:]]
    counts = [word.partition("=")[::2] for word in fields]
    is_known = (group / "io.stat").exists()
    return GroupUsage(
        cpu_time=None if cpu is None else cpu / 1_000_000,
        memory=None if memory is None else max(0, memory - cache),
        memory_limit=limit or 0,
        io=_sum_io(counts, "rbytes", "wbytes") if is_known else None,
        threads=_read_number(group / "pids.current") or 0,
    )


def _read_usage_v1(groups: dict[str, Path]) -> GroupUsage:
    nowhere = Path("/nonexistent")
    memory_group, blkio = groups.get("memory", nowhere), groups.get("blkio", nowhere)
    memory = _read_number(memory_group / "memory.usage_in_bytes")
    limit = _read_number(memory_group / "memory.limit_in_bytes") or 0
    cache = _read_pairs(memory_group / "memory.stat").get("total_inactive_file", 0)
    cpu = _read_number(groups.get("cpuacct", nowhere) / "cpuacct.usage")
    file = blkio / "blkio.throttle.io_service_bytes"
    counts = [
        (words[1], words[2]) for words in map(str.split, _read_lines(file)) if len(words) == 3
    ]
    return GroupUsage(
        cpu_time=None if cpu is None else cpu / 1_000_000_000,
        memory=None if memory is None else max(0, memory - cache),
        memory_limit=limit if limit < UNLIMITED else 0,
        io=_sum_io(counts, "Read", "Write") if file.exists() else None,
        threads=_read_number(groups.get("pids", nowhere) / "pids.current") or 0,
    )


def _sum_io(counts: Iterable[Sequence[str]], read: str, written: str) -> tuple[Bytes, Bytes]:
    def total(key: str) -> Bytes:
        return sum(int(count) for name, count in counts if name == key)

    counts = list(counts)
    return total(read), total(written)


def _read_number(file: Path) -> int | None:
    """Read a file of one number; None where there is none, or it says ``max``."""
    text = "".join(_read_lines(file))
    return int(text) if text.isdecimal() else None


def _read_pairs(file: Path) -> dict[str, int]:
    pairs = (line.split() for line in _read_lines(file))
    return {words[0]: int(words[1]) for words in pairs if len(words) == 2}


def _read_lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []
