"""Gathers what the machine and the holder allow. Runs inside the holder."""

import contextlib
import os
import platform
import resource
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.containers.spec.inputs import DeviceNode, HostFacts
from cntnr_compose.containers.spec.seccomp_default import apply_docker_rules
from cntnr_compose.core.values import Tree
from cntnr_compose.host import cgroups, distribution, files, kernel, process
from cntnr_compose.host.namespaces import subids
from cntnr_compose.model.service import Ulimit

RLIMIT_NAMES = (
    "as", "core", "cpu", "data", "fsize", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss",
    "rtprio", "rttime", "sigpending", "stack",
)  # fmt: skip


def gather_host_facts() -> HostFacts:
    """Look once."""
    profile = distribution.default_seccomp_profile()
    shipped = files.read_value(profile, Tree) if profile else None
    group = cgroups.find_delegated()
    if group is not None and not cgroups.enable_controllers(group):
        group = None
    return HostFacts(
        controllers=group.controllers if group else (),
        cgroup_version=group.version if group else 2,
        cgroup_parent=group.parent if group else "",
        swap_limit=group.swap if group else False,
        mapped_ids=subids.count_mapped_ids(),
        machine=platform.machine(),
        kernel=kernel.release(),
        cpus=os.cpu_count() or 0,
        rlimits=_read_rlimits(),
        oom_score_adj=int(Path("/proc/self/oom_score_adj").read_text()),
        seccomp_profile=apply_docker_rules(shipped) if shipped else None,
        apparmor=Path("/sys/kernel/security/apparmor").is_dir(),
        selinux=Path("/sys/fs/selinux/enforce").exists(),
        has_mqueue=Path("/dev/mqueue").is_dir(),
        init_path=distribution.container_init(),
        devices=tuple(_list_devices(Path("/dev"))),
        runs_32_bit=Path("/proc/sys/abi/vsyscall32").exists() or platform.machine() != "x86_64",
        domainname_path=shutil.which("domainname", path=process.SYSTEM_PATH) or "",
    )


def inspect_device(path: str) -> DeviceNode | None:
    """Look at a device; None where there is no such thing."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    if stat.S_ISDIR(found.st_mode):
        return DeviceNode(folder=True)
    return DeviceNode(
        major=os.major(found.st_rdev),
        minor=os.minor(found.st_rdev),
        openable=os.access(path, os.R_OK | os.W_OK),
    )


def _read_rlimits() -> dict[str, Ulimit]:
    found = {}
    for kind in RLIMIT_NAMES:
        number = getattr(resource, f"RLIMIT_{kind.upper()}", None)
        if number is not None:
            soft, hard = resource.getrlimit(number)
            found[kind] = Ulimit(soft=soft, hard=hard)
    return found


def _list_devices(folder: Path) -> Iterator[str]:
    """List the nodes that the user may open, in folders such as /dev/dri too.

    What is mounted below, such as /dev/shm, has no devices of the machine, but maybe many files.
    """
    here = folder.stat().st_dev
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda one: one.name):
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode) and found.st_dev == here:
                with contextlib.suppress(PermissionError):
                    yield from _list_devices(Path(entry.path))
            special = stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode)
            if special and os.access(entry.path, os.R_OK | os.W_OK):
                yield entry.path
