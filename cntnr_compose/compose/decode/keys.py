"""The keys of a compose file with their kinds, in the order in which docker compose prints them."""

from typing import Any

from cntnr_compose.compose.basics import go_parse as casts
from cntnr_compose.compose.basics.path_rules import Path
from cntnr_compose.compose.basics.refusal import refuse
from cntnr_compose.compose.decode.compound import fields, listed, mapped
from cntnr_compose.compose.decode.decoders import (
    OMIT,
    Kind,
    aside,
    choice,
    command,
    count,
    decimal,
    duration,
    environment,
    flag,
    hosts,
    indexed,
    mapping,
    mode,
    natural,
    pause,
    size,
    string,
    strings,
    test,
    texts,
    unsigned,
    whole,
    words,
)
from cntnr_compose.core.frozen import Tree


def device_count(value: Any, path: Path) -> Any:
    """Take a number of devices; ``all`` is -1."""
    if isinstance(value, float):
        return refuse(f"'{indexed(path)}' invalid type float64 for device count", path)
    if not isinstance(value, str):
        return whole(value, path)
    if value.lower() == "all":
        return -1
    try:
        return casts.integer(value) or OMIT
    except ValueError:
        what = f"invalid value \"{value}\", the only value allowed is 'all' or a number"
        return refuse(f"'{indexed(path)}' {what}", path)


def ulimit(value: Any, path: Path) -> Any:
    """Take one limit, or a soft and a hard one."""
    if isinstance(value, dict):
        return fields({"soft": whole, "hard": whole})(value, path)
    if isinstance(value, float):
        refuse(f"'{indexed(path)}' invalid type float64 for a limit", path)
    return count(value, path) or {}


def ssh_keys(value: Any, _path: Path) -> Any:
    """Take names of keys and their paths; printed as a list."""
    if not isinstance(value, dict):
        return OMIT
    return [f"{key}: {value[key]}" if value[key] else key for key in sorted(value)] or OMIT


def options(value: Any, path: Path) -> Any:
    """Take what a provider is started with: texts, or lists of them."""
    pairs = aside(value) if isinstance(value, dict) else value
    return mapped(words)(pairs and {key: one for key, one in pairs.items() if one != []}, path)


VALUE = "x-#value"  # what the variable of a config or secret holds, until nobody checks any more
ULIMITS = mapped(ulimit)
FILE_MOUNT = fields(
    {"source": string, "target": string, "uid": string, "gid": string, "mode": mode}
)
DEVICE_REQUEST = fields({
    "capabilities": strings, "driver": string, "count": device_count, "device_ids": strings,
    "options": mapping,
})  # fmt: skip
HOOK_KINDS: dict[str, Kind] = {
    "command": command, "user": string, "privileged": flag, "working_dir": string,
    "environment": environment,
}  # fmt: skip
HOOK = fields(HOOK_KINDS)

BUILD = fields({
    "context": string,
    "dockerfile": string,
    "dockerfile_inline": string,
    "entitlements": strings,
    "args": environment,
    "provenance": string,
    "sbom": string,
    "ssh": ssh_keys,
    "labels": mapping,
    "cache_from": strings,
    "cache_to": strings,
    "no_cache": flag,
    "additional_contexts": mapping,
    "pull": flag,
    "extra_hosts": hosts,
    "isolation": string,
    "network": string,
    "target": string,
    "secrets": listed(FILE_MOUNT),
    "shm_size": size,
    "tags": strings,
    "ulimits": ULIMITS,
    "platforms": strings,
    "privileged": flag,
})  # fmt: skip

WATCH_KINDS: dict[str, Kind] = {
    "path": string, "action": string, "target": string, "exec": HOOK, "include": strings,
    "ignore": strings, "initial_sync": flag,
}  # fmt: skip
WATCH = fields(WATCH_KINDS)

WEIGHT = fields({"path": string, "weight": unsigned(16)}, {"path": "", "weight": 0})
RATE = fields({"path": string, "rate": size}, {"path": "", "rate": "0"})
BLKIO = fields({
    "weight": unsigned(16),
    "weight_device": listed(WEIGHT),
    "device_read_bps": listed(RATE),
    "device_read_iops": listed(RATE),
    "device_write_bps": listed(RATE),
    "device_write_iops": listed(RATE),
})  # fmt: skip

UPDATE = fields({
    "parallelism": natural, "delay": pause, "failure_action": string, "monitor": pause,
    "max_failure_ratio": decimal, "order": string,
})  # fmt: skip
RESOURCE_AMOUNT = fields({"kind": string, "value": whole}, {"kind": "", "value": 0})
RESOURCE = {
    "cpus": decimal,
    "memory": size,
    "pids": whole,
    "devices": listed(DEVICE_REQUEST),
    "generic_resources": listed(fields({"discrete_resource_spec": RESOURCE_AMOUNT})),
}
DEPLOY_KINDS: dict[str, Kind] = {
    "mode": string,
    "replicas": count,
    "labels": mapping,
    "update_config": UPDATE,
    "rollback_config": UPDATE,
    "resources": fields({"limits": fields(RESOURCE), "reservations": fields(RESOURCE)}),
    "restart_policy": fields({
        "condition": string, "delay": duration, "max_attempts": natural, "window": duration,
    }),
    "placement": fields({
        "constraints": strings,
        "preferences": listed(fields({"spread": string})),
        "max_replicas_per_node": unsigned(64),
    }),
    "endpoint_mode": string,
}  # fmt: skip
DEPLOY = fields(DEPLOY_KINDS)

HEALTHCHECK = fields({
    "test": test, "timeout": duration, "interval": duration, "retries": natural,
    "start_period": duration, "start_interval": duration, "disable": flag,
})  # fmt: skip

ATTACHMENT = fields({
    "aliases": strings,
    "driver_opts": mapping,
    "gw_priority": whole,
    "interface_name": string,
    "ipv4_address": string,
    "ipv6_address": string,
    "link_local_ips": strings,
    "mac_address": string,
    "priority": whole,
})  # fmt: skip

PORT = fields({
    "name": string, "mode": string, "host_ip": string, "target": unsigned(32), "published": string,
    "protocol": string, "app_protocol": string,
})  # fmt: skip

VOLUME_MOUNT = fields({
    "type": string,
    "source": string,
    "target": string,
    "read_only": flag,
    "consistency": string,
    "bind": fields({
        "selinux": string, "propagation": string, "create_host_path": flag, "recursive": string,
    }),
    "volume": fields({"labels": mapping, "nocopy": flag, "subpath": string}),
    "tmpfs": fields({"size": size, "mode": unsigned(32)}),
    "image": fields({"subpath": string}),
})  # fmt: skip

SERVICE_KINDS: dict[str, Kind] = {
    "profiles": strings,
    "annotations": mapping,
    "attach": choice,
    "build": BUILD,
    "develop": fields({"watch": listed(WATCH)}),
    "blkio_config": BLKIO,
    "cap_add": strings,
    "cap_drop": strings,
    "cgroup_parent": string,
    "cgroup": string,
    "cpu_count": whole,
    "cpu_percent": decimal,
    "cpu_period": whole,
    "cpu_quota": whole,
    "cpu_rt_period": whole,
    "cpu_rt_runtime": whole,
    "cpus": decimal,
    "cpuset": string,
    "cpu_shares": whole,
    "command": command,
    "configs": listed(FILE_MOUNT),
    "container_name": string,
    "credential_spec": fields({"config": string, "file": string, "registry": string}),
    "depends_on": mapped(fields({"condition": string, "restart": flag, "required": choice})),
    "deploy": DEPLOY,
    "device_cgroup_rules": strings,
    "devices": listed(fields({"source": string, "target": string, "permissions": string})),
    "dns": strings,
    "dns_opt": strings,
    "dns_search": strings,
    "domainname": string,
    "entrypoint": command,
    "provider": fields({"type": string, "options": options}),
    "environment": environment,
    "env_file": listed(fields({"path": string, "required": choice, "format": string})),
    "expose": strings,
    "extends": fields({"file": string, "service": string}),
    "external_links": strings,
    "extra_hosts": hosts,
    "group_add": strings,
    "gpus": listed(DEVICE_REQUEST),
    "hostname": string,
    "healthcheck": HEALTHCHECK,
    "image": string,
    "init": choice,
    "ipc": string,
    "isolation": string,
    "labels": mapping,
    "label_file": strings,
    "links": strings,
    "logging": fields({"driver": string, "options": mapping}),
    "mem_limit": size,
    "mem_reservation": size,
    "memswap_limit": size,
    "mem_swappiness": size,
    "mac_address": string,
    "models": mapped(fields({"endpoint_var": string, "model_var": string})),
    "network_mode": string,
    "networks": mapped(ATTACHMENT),
    "oom_kill_disable": flag,
    "oom_score_adj": whole,
    "pid": string,
    "pids_limit": whole,
    "platform": string,
    "ports": listed(PORT),
    "privileged": flag,
    "pull_policy": string,
    "read_only": flag,
    "restart": string,
    "runtime": string,
    "scale": count,
    "secrets": listed(FILE_MOUNT),
    "security_opt": strings,
    "shm_size": size,
    "stdin_open": flag,
    "stop_grace_period": duration,
    "stop_signal": string,
    "storage_opt": texts,
    "sysctls": mapping,
    "tmpfs": strings,
    "tty": flag,
    "ulimits": ULIMITS,
    "use_api_socket": flag,
    "user": string,
    "userns_mode": string,
    "uts": string,
    "volume_driver": string,
    "volumes": listed(VOLUME_MOUNT),
    "volumes_from": strings,
    "working_dir": string,
    "post_start": listed(HOOK),
    "pre_stop": listed(HOOK),
}  # fmt: skip
SERVICE = fields(SERVICE_KINDS)

POOL = fields({
    "subnet": string, "gateway": string, "ip_range": string, "aux_addresses": mapping,
})  # fmt: skip
NETWORK_KINDS: dict[str, Kind] = {
    "name": string,
    "driver": string,
    "driver_opts": mapping,
    "ipam": fields({"driver": string, "config": listed(POOL)}),
    "external": flag,
    "internal": flag,
    "attachable": flag,
    "labels": mapping,
    "enable_ipv4": choice,
    "enable_ipv6": choice,
}  # fmt: skip
NETWORK = fields(NETWORK_KINDS)
VOLUME = fields({
    "name": string, "driver": string, "driver_opts": mapping, "external": flag, "labels": mapping,
})  # fmt: skip
FILE_SOURCE = fields({
    "name": string,
    "file": string,
    "environment": string,
    "content": string,
    VALUE: string,
    "external": flag,
    "labels": mapping,
    "driver": string,
    "driver_opts": texts,
    "template_driver": string,
})  # fmt: skip
MODEL = fields({
    "name": string, "model": string, "context_size": whole, "runtime_flags": strings,
})  # fmt: skip

PROJECT = fields({
    "name": string,
    "services": mapped(SERVICE),
    "networks": mapped(NETWORK, empty={}),
    "volumes": mapped(VOLUME, empty={}),
    "secrets": mapped(FILE_SOURCE, empty={}),
    "configs": mapped(FILE_SOURCE, empty={}),
    "models": mapped(MODEL, empty={}),
})  # fmt: skip


def typed(tree: Tree) -> Tree:
    """Make every value what its key holds; what says nothing is left out.

    Raises `ComposeFileInvalid`.
    """
    done: Tree = PROJECT(tree, ())
    return done


def insert(tree: Tree, key: str, value: Any, kinds: dict[str, Kind]) -> None:
    """Set a key of a typed mapping at its place among the others."""
    tree[key] = value
    order = list(kinds)
    later = [*order[order.index(key) + 1 :], *(one for one in tree if one.startswith("x-"))]
    for other in later:
        if other in tree:
            tree[other] = tree.pop(other)
