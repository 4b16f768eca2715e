"""Gather what the host and the holder allow containers. Runs inside the holder."""

import contextlib
import os
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.containers.spec.inputs import DeviceNode
from cntnr_compose.containers.spec.seccomp import apply_docker_rules
from cntnr_compose.core.values import Tree
from cntnr_compose.host import cgroups, distribution, files, kernel, process
from cntnr_compose.host.namespaces import subids
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.service import Ulimit

RLIMIT_NAMES = (
    "as", "core", "cpu", "data", "fsize", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss",
    "rtprio", "rttime", "sigpending", "stack",
)  # fmt: skip


def gather_host_facts(*, change_cgroups: bool = True) -> HostFacts:
    """Gather the facts; they do not change while the holder runs.

    Without ``change_cgroups`` those of containers that have no cgroup.
    """
    profile_path = distribution.default_seccomp_profile()
    profile = files.read_value(profile_path, Tree) if profile_path else None
    cgroup = cgroups.find_delegated() if change_cgroups else None
    if cgroup is not None and not cgroups.enable_controllers(cgroup):
        cgroup = None
    return HostFacts(
        controllers=cgroup.controllers if cgroup else (),
        cgroup_version=cgroup.version if cgroup else 2,
        cgroup_parent=cgroup.parent if cgroup else "",
        swap_limit=cgroup.swap if cgroup else False,
        mapped_ids=subids.count_mapped_ids(),
        machine=os.uname().machine,
        kernel=kernel.release(),
        cpus=os.cpu_count() or 0,
        rlimits=_read_rlimits(),
        oom_score_adj=int(Path("/proc/self/oom_score_adj").read_text()),
        seccomp_profile=apply_docker_rules(profile) if profile else None,
        apparmor=Path("/sys/kernel/security/apparmor").is_dir(),
        selinux=Path("/sys/fs/selinux/enforce").exists(),
        has_mqueue=Path("/dev/mqueue").is_dir(),
        init_path=distribution.container_init(),
        devices=tuple(_list_devices(Path("/dev"))),
        runs_32_bit=Path("/proc/sys/abi/vsyscall32").exists() or os.uname().machine != "x86_64",
        domainname_path=process.find_in("domainname", process.SYSTEM_PATH),
    )


def inspect_device(path: str) -> DeviceNode | None:
    """Look up a device of the host; None if it does not exist."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    if stat.S_ISDIR(status.st_mode):
        return DeviceNode(folder=True)
    return DeviceNode(
        major=os.major(status.st_rdev),
        minor=os.minor(status.st_rdev),
        openable=os.access(path, os.R_OK | os.W_OK),
    )


def _read_rlimits() -> dict[str, Ulimit]:
    rlimits = {}
    for name in RLIMIT_NAMES:
        number = getattr(resource, f"RLIMIT_{name.upper()}", None)
        if number is not None:
            soft, hard = resource.getrlimit(number)
            rlimits[name] = Ulimit(soft=soft, hard=hard)
    return rlimits


def _list_devices(folder: Path) -> Iterator[str]:
    """List the nodes that the user may open, in folders such as /dev/dri too.

    What is mounted below, such as /dev/shm, has no devices of the host, but may have many files.
    """
    file_system = folder.stat().st_dev
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda one: one.name):
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode) and status.st_dev == file_system:
                with contextlib.suppress(PermissionError):
                    yield from _list_devices(Path(entry.path))
            is_device = stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode)
            if is_device and os.access(entry.path, os.R_OK | os.W_OK):
                yield entry.path
