"""Which decoder each key takes, in the order in which docker compose prints the keys."""

from typing import Any

from cntnr_compose.compose.decode.compound import (
    device_count,
    dict_of,
    list_of,
    mapping_of,
    provider_options,
    ssh_keys,
    ulimit,
)
from cntnr_compose.compose.decode.decoders import (
    Decoder,
    byte_size,
    command,
    duration,
    environment,
    extra_hosts,
    file_mode,
    flag,
    healthcheck_test,
    integer,
    natural,
    nonzero_duration,
    nonzero_float,
    nonzero_integer,
    strict_string_mapping,
    string,
    string_mapping,
    strings,
    tristate,
    unsigned,
)
from cntnr_compose.core.frozen import Tree

# The value of the variable of a config or secret, until the project is complete.
VARIABLE_VALUE_KEY = "x-#value"

ULIMITS = dict_of(ulimit)
FILE_MOUNT = mapping_of({
    "source": string, "target": string, "uid": string, "gid": string, "mode": file_mode,
})  # fmt: skip
DEVICE_REQUEST = mapping_of({
    "capabilities": strings, "driver": string, "count": device_count, "device_ids": strings,
    "options": string_mapping,
})  # fmt: skip
HOOK_DECODERS: dict[str, Decoder] = {
    "command": command, "user": string, "privileged": flag, "working_dir": string,
    "environment": environment,
}  # fmt: skip
HOOK = mapping_of(HOOK_DECODERS)
PRE_START_DECODERS = HOOK_DECODERS | {"image": string, "per_replica": flag}

BUILD = mapping_of({
    "context": string,
    "dockerfile": string,
    "dockerfile_inline": string,
    "entitlements": strings,
    "args": environment,
    "provenance": string,
    "sbom": string,
    "ssh": ssh_keys,
    "labels": string_mapping,
    "cache_from": strings,
    "cache_to": strings,
    "no_cache": flag,
    "no_cache_filter": strings,
    "additional_contexts": string_mapping,
    "pull": flag,
    "extra_hosts": extra_hosts,
    "isolation": string,
    "network": string,
    "target": string,
    "secrets": list_of(FILE_MOUNT),
    "shm_size": byte_size,
    "tags": strings,
    "ulimits": ULIMITS,
    "platforms": strings,
    "privileged": flag,
})  # fmt: skip

WATCH_DECODERS: dict[str, Decoder] = {
    "path": string, "action": string, "target": string, "exec": HOOK, "include": strings,
    "ignore": strings, "initial_sync": flag,
}  # fmt: skip
WATCH = mapping_of(WATCH_DECODERS)

WEIGHT = mapping_of({"path": string, "weight": unsigned(16)}, {"path": "", "weight": 0})
RATE = mapping_of({"path": string, "rate": byte_size}, {"path": "", "rate": "0"})
BLKIO = mapping_of({
    "weight": unsigned(16), "weight_device": list_of(WEIGHT),
    "device_read_bps": list_of(RATE), "device_read_iops": list_of(RATE),
    "device_write_bps": list_of(RATE), "device_write_iops": list_of(RATE),
})  # fmt: skip

UPDATE = mapping_of({
    "parallelism": natural, "delay": nonzero_duration, "failure_action": string, "monitor": nonzero_duration,
    "max_failure_ratio": nonzero_float, "order": string,
})  # fmt: skip
RESOURCE_AMOUNT = mapping_of({"kind": string, "value": nonzero_integer}, {"kind": "", "value": 0})
RESOURCES = mapping_of({
    "cpus": nonzero_float, "memory": byte_size, "pids": nonzero_integer, "devices": list_of(DEVICE_REQUEST),
    "generic_resources": list_of(mapping_of({"discrete_resource_spec": RESOURCE_AMOUNT})),
})  # fmt: skip
DEPLOY_DECODERS: dict[str, Decoder] = {
    "mode": string,
    "replicas": integer,
    "labels": string_mapping,
    "update_config": UPDATE,
    "rollback_config": UPDATE,
    "resources": mapping_of({"limits": RESOURCES, "reservations": RESOURCES}),
    "restart_policy": mapping_of({
        "condition": string, "delay": duration, "max_attempts": natural, "window": duration,
    }),
    "placement": mapping_of({
        "constraints": strings,
        "preferences": list_of(mapping_of({"spread": string})),
        "max_replicas_per_node": unsigned(64),
    }),
    "endpoint_mode": string,
}  # fmt: skip
DEPLOY = mapping_of(DEPLOY_DECODERS)

HEALTHCHECK = mapping_of({
    "test": healthcheck_test, "timeout": duration, "interval": duration, "retries": natural,
    "start_period": duration, "start_interval": duration, "disable": flag,
})  # fmt: skip

ATTACHMENT = mapping_of({
    "aliases": strings, "driver_opts": string_mapping, "gw_priority": nonzero_integer,
    "interface_name": string, "ipv4_address": string, "ipv6_address": string, "link_local_ips": strings,
    "mac_address": string, "priority": nonzero_integer,
})  # fmt: skip

PORT = mapping_of({
    "name": string, "mode": string, "host_ip": string, "target": unsigned(32), "published": string,
    "protocol": string, "app_protocol": string,
})  # fmt: skip

VOLUME_MOUNT = mapping_of({
    "type": string, "source": string, "target": string, "read_only": flag, "consistency": string,
    "bind": mapping_of({
        "selinux": string, "propagation": string, "create_host_path": flag, "recursive": string,
    }),
    "volume": mapping_of({"labels": string_mapping, "nocopy": flag, "subpath": string}),
    "tmpfs": mapping_of({"size": byte_size, "mode": unsigned(32)}),
    "image": mapping_of({"subpath": string}),
})  # fmt: skip

SERVICE_DECODERS: dict[str, Decoder] = {
    "profiles": strings,
    "annotations": string_mapping,
    "attach": tristate,
    "build": BUILD,
    "develop": mapping_of({"watch": list_of(WATCH)}),
    "blkio_config": BLKIO,
    "cap_add": strings,
    "cap_drop": strings,
    "cgroup_parent": string,
    "cgroup": string,
    "cpu_count": nonzero_integer,
    "cpu_percent": nonzero_float,
    "cpu_period": nonzero_integer,
    "cpu_quota": nonzero_integer,
    "cpu_rt_period": nonzero_integer,
    "cpu_rt_runtime": nonzero_integer,
    "cpus": nonzero_float,
    "cpuset": string,
    "cpu_shares": nonzero_integer,
    "command": command,
    "configs": list_of(FILE_MOUNT),
    "container_name": string,
    "credential_spec": mapping_of({"config": string, "file": string, "registry": string}),
    "depends_on": dict_of(mapping_of({"condition": string, "restart": flag, "required": tristate})),
    "deploy": DEPLOY,
    "device_cgroup_rules": strings,
    "devices": list_of(mapping_of({"source": string, "target": string, "permissions": string})),
    "dns": strings,
    "dns_opt": strings,
    "dns_search": strings,
    "domainname": string,
    "entrypoint": command,
    "provider": mapping_of({"type": string, "options": provider_options}),
    "environment": environment,
    "env_file": list_of(mapping_of({"path": string, "required": tristate, "format": string})),
    "expose": strings,
    "extends": mapping_of({"file": string, "service": string}),
    "external_links": strings,
    "extra_hosts": extra_hosts,
    "group_add": strings,
    "gpus": list_of(DEVICE_REQUEST),
    "hostname": string,
    "healthcheck": HEALTHCHECK,
    "image": string,
    "init": tristate,
    "ipc": string,
    "isolation": string,
    "labels": string_mapping,
    "label_file": strings,
    "links": strings,
    "logging": mapping_of({"driver": string, "options": string_mapping}),
    "mem_limit": byte_size,
    "mem_reservation": byte_size,
    "memswap_limit": byte_size,
    "mem_swappiness": byte_size,
    "mac_address": string,
    "models": dict_of(mapping_of({"endpoint_var": string, "model_var": string})),
    "network_mode": string,
    "networks": dict_of(ATTACHMENT),
    "oom_kill_disable": flag,
    "oom_score_adj": nonzero_integer,
    "pid": string,
    "pids_limit": nonzero_integer,
    "platform": string,
    "ports": list_of(PORT),
    "privileged": flag,
    "pull_policy": string,
    "read_only": flag,
    "restart": string,
    "runtime": string,
    "scale": integer,
    "secrets": list_of(FILE_MOUNT),
    "security_opt": strings,
    "shm_size": byte_size,
    "stdin_open": flag,
    "stop_grace_period": duration,
    "stop_signal": string,
    "storage_opt": strict_string_mapping,
    "sysctls": string_mapping,
    "tmpfs": strings,
    "tty": flag,
    "ulimits": ULIMITS,
    "use_api_socket": flag,
    "user": string,
    "userns_mode": string,
    "uts": string,
    "volume_driver": string,
    "volumes": list_of(VOLUME_MOUNT),
    "volumes_from": strings,
    "working_dir": string,
    "pre_start": list_of(mapping_of(PRE_START_DECODERS)),
    "post_start": list_of(HOOK),
    "pre_stop": list_of(HOOK),
}  # fmt: skip
SERVICE = mapping_of(SERVICE_DECODERS)

POOL = mapping_of({
    "subnet": string, "gateway": string, "ip_range": string, "aux_addresses": string_mapping,
})  # fmt: skip
NETWORK_DECODERS: dict[str, Decoder] = {
    "name": string, "driver": string, "driver_opts": string_mapping,
    "ipam": mapping_of({"driver": string, "config": list_of(POOL)}),
    "external": flag, "internal": flag, "attachable": flag, "labels": string_mapping,
    "enable_ipv4": tristate, "enable_ipv6": tristate,
}  # fmt: skip
NETWORK = mapping_of(NETWORK_DECODERS)
VOLUME = mapping_of({
    "name": string, "driver": string, "driver_opts": string_mapping, "external": flag,
    "labels": string_mapping,
})  # fmt: skip
FILE_SOURCE = mapping_of({
    "name": string, "file": string, "environment": string, "content": string, VARIABLE_VALUE_KEY: string,
    "external": flag, "labels": string_mapping, "driver": string, "driver_opts": strict_string_mapping,
    "template_driver": string,
})  # fmt: skip
MODEL = mapping_of({
    "name": string, "model": string, "context_size": nonzero_integer, "runtime_flags": strings,
})  # fmt: skip

PROJECT = mapping_of({
    "name": string,
    "services": dict_of(SERVICE),
    "networks": dict_of(NETWORK, empty={}),
    "volumes": dict_of(VOLUME, empty={}),
    "secrets": dict_of(FILE_SOURCE, empty={}),
    "configs": dict_of(FILE_SOURCE, empty={}),
    "models": dict_of(MODEL, empty={}),
})  # fmt: skip


def decode(tree: Tree) -> Tree:
    """Decode every value of a tree; values that docker compose does not print are omitted.

    Raises `ComposeFileInvalid`.
    """
    decoded: Tree = PROJECT(tree, ())
    return decoded


def insert_key(tree: Tree, key: str, value: Any, decoders: dict[str, Decoder]) -> None:
    """Set a key of a decoded mapping at its place in the print order."""
    tree[key] = value
    order = list(decoders)
    extensions = [name for name in tree if name.startswith("x-")]
    for later in [*order[order.index(key) + 1 :], *extensions]:
        if later in tree:
            tree[later] = tree.pop(later)
