"""Build the resource limits of a container's cgroup; warn about keys whose controller we may not use."""

from collections.abc import Callable

from cntnr_compose.containers.spec.inputs import Reductions, SpecInputs
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes, Tree
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.service import Service

MIN_MEMORY: Bytes = 6 << 20
CPU_PERIOD = 100_000  # in µs, docker's default
BLKIO_THROTTLES = {
    "device_read_bps": "throttleReadBpsDevice",
    "device_write_bps": "throttleWriteBpsDevice",
    "device_read_iops": "throttleReadIOPSDevice",
    "device_write_iops": "throttleWriteIOPSDevice",
}
# Keys that have no effect here, whatever the host allows.
WITHOUT_EFFECT = {
    "cpu_count": "not honoured, it is for Windows",
    "cpu_percent": "not honoured, it is for Windows",
    "isolation": "not honoured, it is for Windows",
    "credential_spec": "not honoured, it is for Windows",
    "cpu_rt_period": "not honoured, which takes root and cgroup v1",
    "cpu_rt_runtime": "not honoured, which takes root and cgroup v1",
    "mem_swappiness": "not honoured, which takes root and cgroup v1",
    "device_cgroup_rules": "not honoured, which takes root",
    "storage_opt": "not honoured: a container's own files have no limit here",
}


LIMIT_MEMORY = ("mem_limit", "deploy.resources.limits.memory")
LIMIT_CPUS = ("cpus", "deploy.resources.limits.cpus")
# Key, its other spelling, the controller it needs, its value.
CONTROLLER_KEYS: tuple[tuple[str, str, str, Callable[[Service], object]], ...] = (
    (*LIMIT_MEMORY, "memory", lambda s: s.limits.memory),
    ("mem_reservation", "deploy.resources.reservations.memory", "memory",
     lambda s: s.reservations.memory),
    ("memswap_limit", "", "memory", lambda s: s.memswap_limit),
    ("oom_kill_disable", "", "memory", lambda s: s.oom_kill_disable),
    (*LIMIT_CPUS, "cpu", lambda s: s.limits.cpus),
    ("cpu_shares", "", "cpu", lambda s: s.cpu_shares),
    ("cpu_period", "", "cpu", lambda s: s.cpu_period),
    ("cpu_quota", "", "cpu", lambda s: s.cpu_quota > 0),
    ("cpuset", "", "cpuset", lambda s: s.cpuset),
    ("pids_limit", "deploy.resources.limits.pids", "pids", lambda s: s.limits.pids > 0),
    ("blkio_config", "", "io", lambda s: s.raw.get("blkio_config")),
)  # fmt: skip


class LimitInvalid(CntnrError):
    """A limit is invalid on any host."""

    def __init__(self, service: str, key: str, why: str) -> None:
        super().__init__(f"services.{service}.{key}: {why}")


def build_resources(
    service: Service, inputs: SpecInputs, facts: HostFacts, reductions: Reductions
) -> Tree:
    """Build ``linux.resources`` as far as we may set them.

    Raises `LimitInvalid`.
    """
    check_limits(service, facts)
    for key, reason in WITHOUT_EFFECT.items():
        if service.raw.get(key):
            reductions.add(key, reason)
    for key, other, controller, value in CONTROLLER_KEYS:
        if value(service) and controller not in facts.controllers:
            reductions.add(
                _used_spelling(service, key, other), _why_not_honoured(controller, facts)
            )
    parts = (
        ("memory", "memory", lambda: _memory(service, facts, reductions)),
        ("cpu", "cpu", lambda: _cpu(service)),
        ("cpuset", "cpu", lambda: {"cpus": service.cpuset} if service.cpuset else {}),
        ("pids", "pids", lambda: {"limit": service.limits.pids} if service.limits.pids else {}),
        ("io", "blockIO", lambda: _block_io(service, inputs)),
    )
    resources: Tree = {}
    for controller, name, part in parts:
        limits = part() if controller in facts.controllers else {}
        if limits:
            resources.setdefault(name, {}).update(limits)
    return resources


def build_cgroups_path(
    service: Service, inputs: SpecInputs, facts: HostFacts, reductions: Reductions
) -> str:
    """Build the path of the container's cgroup; empty, so that none is created, where it may not.

    Raises `LimitInvalid`.
    """
    if ".." in service.cgroup_parent.split("/"):
        raise LimitInvalid(service.name, "cgroup_parent", "a group below ours has no .. in it")
    if not facts.controllers:
        if service.cgroup_parent:
            reductions.add("cgroup_parent", _why_not_honoured("", facts))
        return ""
    below = service.cgroup_parent.strip("/")
    return "/".join(filter(None, (facts.cgroup_parent.rstrip("/"), below, inputs.id)))


def _used_spelling(service: Service, key: str, other: str) -> str:
    """Return the spelling that the user chose."""
    return other if other and service.raw.get(key) is None else key


def _why_not_honoured(controller: str, facts: HostFacts) -> str:
    if facts.controllers:
        return f"not honoured, since this user was not given the {controller} controller"
    return "not honoured, since this user may not make cgroups (see `cntnr doctor`)"


def check_limits(service: Service, facts: HostFacts) -> None:
    """Refuse what docker refuses, even where limits are not honoured. Raises `LimitInvalid`."""
    name, memory, swap = service.name, service.limits.memory, service.memswap_limit
    if 0 < memory < MIN_MEMORY:
        raise LimitInvalid(
            name, _used_spelling(service, *LIMIT_MEMORY), "minimum memory limit allowed is 6MB"
        )
    if swap > 0 and not memory:
        raise LimitInvalid(name, "memswap_limit", "takes a mem_limit, too")
    if 0 < swap < memory:
        raise LimitInvalid(name, "memswap_limit", "should be larger than the memory limit")
    if 0 < memory < service.reservations.memory:
        raise LimitInvalid(name, "mem_reservation", "should be smaller than the memory limit")
    if "cpu" in facts.controllers and 0 < facts.cpus < service.limits.cpus:
        why = f"range of CPUs is from 0.01 to {facts.cpus}.00, as there are no more here"
        raise LimitInvalid(name, _used_spelling(service, *LIMIT_CPUS), why)
    if service.limits.cpus and (service.cpu_period or service.cpu_quota):
        raise LimitInvalid(name, "cpus", "cannot be set beside cpu_period and cpu_quota")


def _memory(service: Service, facts: HostFacts, reductions: Reductions) -> Tree:
    tree: Tree = {}
    if service.limits.memory:
        tree["limit"] = service.limits.memory
        if facts.swap_limit:  # as docker: as much swap again, unless said otherwise
            tree["swap"] = service.memswap_limit or 2 * service.limits.memory
        elif service.memswap_limit:
            reductions.add("memswap_limit", "not honoured, since this kernel does not limit swap")
    if service.reservations.memory:
        tree["reservation"] = service.reservations.memory
    if service.oom_kill_disable:
        if facts.cgroup_version == 1:
            tree["disableOOMKiller"] = True
        else:
            reductions.add("oom_kill_disable", "not honoured, since cgroup v2 has no such thing")
    return tree


def _cpu(service: Service) -> Tree:
    tree: Tree = {}
    if service.cpu_shares:
        tree["shares"] = service.cpu_shares
    if service.limits.cpus:
        tree |= {"period": CPU_PERIOD, "quota": round(service.limits.cpus * CPU_PERIOD)}
    if service.cpu_period:
        tree["period"] = service.cpu_period
    if service.cpu_quota:
        tree["quota"] = service.cpu_quota
    return tree


def _block_io(service: Service, inputs: SpecInputs) -> Tree:
    blkio = service.raw.get("blkio_config") or {}
    tree: Tree = {}
    if blkio.get("weight"):
        tree["weight"] = _parse_integer(service, blkio["weight"])
    for key, name in {**BLKIO_THROTTLES, "weight_device": "weightDevice"}.items():
        value = "weight" if key == "weight_device" else "rate"
        entries = []
        for entry in blkio.get(key) or ():
            node = inputs.device_nodes.get(entry["path"])
            if node is None:
                raise LimitInvalid(service.name, "blkio_config", f"{entry['path']} does not exist")
            amount = _parse_integer(service, entry.get(value) or 0)
            entries.append({"major": node.major, "minor": node.minor, value: amount})
        if entries:
            tree[name] = entries
    return tree


def _parse_integer(service: Service, value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise LimitInvalid(service.name, "blkio_config", f'"{value}" is not a number') from None
