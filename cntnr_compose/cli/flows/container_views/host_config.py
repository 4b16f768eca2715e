"""Describe what a container was asked to be on this machine: ``HostConfig`` of `docker inspect`."""

from cntnr_compose.containers.spec.mounts import MASKED_PATHS, READONLY_PATHS
from cntnr_compose.core.values import Tree
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Service

DEFAULT_SHM_SIZE = 64 << 20
NANO = 1_000_000_000
LOG_DRIVER = "k8s-file"


def describe_host_config(record: Record) -> Tree:
    """Describe mounts, ports, networks, namespaces, limits and rights of a container."""
    service = record.definition
    restart = service.restart
    retries = restart.max_attempts if restart.condition == "on-failure" else 0
    logging = service.logging
    return {
        "Binds": _list_binds(record) or None,
        "ContainerIDFile": "",
        "LogConfig": {
            "Type": (logging.driver if logging else "") or LOG_DRIVER,
            "Config": dict(logging.options) if logging else {},
        },
        "NetworkMode": choose_network_mode(record),
        "PortBindings": _describe_bindings(service),
        "RestartPolicy": {"Name": restart.condition, "MaximumRetryCount": retries},
        "AutoRemove": record.auto_remove,
        "VolumeDriver": "",
        "VolumesFrom": list(service.volumes_from) or None,
        "ExtraHosts": [
            f"{host}:{address}" for host, each in service.extra_hosts.items() for address in each
        ],
        "Dns": list(service.dns),
        "DnsOptions": list(service.dns_opt),
        "DnsSearch": list(service.dns_search),
        "Links": list(service.links) or None,
        "PublishAllPorts": False,
        "Tmpfs": dict(_split_tmpfs(word) for word in service.tmpfs) or None,
        "ShmSize": service.shm_size or DEFAULT_SHM_SIZE,
        "Sysctls": dict(service.sysctls) or None,
        "Runtime": record.runtime,
        "Init": service.init or None,
        "Annotations": dict(service.annotations) or None,
        **_describe_isolation(service),
        **_describe_limits(service),
    }


def choose_network_mode(record: Record) -> str:
    """Return the network mode of a container: host, none, that of another one, or its first network."""
    networks = sorted(
        record.definition.networks.items(), key=lambda one: (-one[1].priority, one[0])
    )
    names = [record.networks[key] for key, _ in networks if key in record.networks]
    return record.definition.network_mode or next(iter(names), "none")


def _list_binds(record: Record) -> list[str]:
    return [
        f"{mount.source}:{mount.target}{':ro' if mount.read_only else ''}"
        for mount in record.mounts
        if mount.type in ("bind", "volume") and not mount.anonymous
    ]


def _describe_bindings(service: Service) -> Tree:
    bindings: Tree = {}
    for port in service.ports:
        binding = {"HostIp": port.host_ip, "HostPort": port.published}
        bindings.setdefault(f"{port.target}/{port.protocol}", []).append(binding)
    return bindings


def _split_tmpfs(word: str) -> tuple[str, str]:
    path, _, options = word.partition(":")
    return path, options


def _describe_isolation(service: Service) -> Tree:
    hidden = not service.privileged
    return {
        "CapAdd": list(service.cap_add) or None,
        "CapDrop": list(service.cap_drop) or None,
        "CgroupnsMode": service.cgroup or "private",
        "Cgroup": "",
        "CgroupParent": service.cgroup_parent,
        "GroupAdd": list(service.group_add) or None,
        "IpcMode": service.ipc or "private",
        "PidMode": service.pid,
        "UTSMode": service.uts,
        "UsernsMode": service.userns_mode,
        "Privileged": service.privileged,
        "ReadonlyRootfs": service.read_only,
        "SecurityOpt": list(service.security_opt) or None,
        "Isolation": "",
        "MaskedPaths": list(MASKED_PATHS) if hidden else None,
        "ReadonlyPaths": list(READONLY_PATHS) if hidden else None,
        "Devices": [
            {
                "PathOnHost": device.source,
                "PathInContainer": device.target or device.source,
                "CgroupPermissions": device.permissions,
            }
            for device in service.devices
        ],
    }


def _describe_limits(service: Service) -> Tree:
    limits = service.limits
    return {
        "OomScoreAdj": service.oom_score_adj,
        "OomKillDisable": service.oom_kill_disable,
        "CpuShares": service.cpu_shares,
        "Memory": limits.memory,
        "MemoryReservation": service.reservations.memory,
        "MemorySwap": service.memswap_limit,
        "NanoCpus": round(limits.cpus * NANO),
        "CpuPeriod": service.cpu_period,
        "CpuQuota": service.cpu_quota,
        "CpusetCpus": service.cpuset,
        "PidsLimit": limits.pids or None,
        "Ulimits": [
            {"Name": name, "Hard": limit.hard, "Soft": limit.soft}
            for name, limit in service.ulimits.items()
        ],
    }
