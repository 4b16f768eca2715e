"""Hashes that tell whether a service, network or volume is still defined as it was.

The text that is hashed is the one that docker compose hashes: JSON without spaces, keys in the order
in which docker compose declares them. So a service has the same hash here and there.
"""

import hashlib
from typing import Any

from cntnr_compose.core.values import Tree, to_json
from cntnr_compose.model.project import Network, Pool, Volume
from cntnr_compose.model.service import Service

# What may change without a container having to be made anew. Files of labels are merged into the service
# before, so that what counts is what is in them; those of variables too, but not for `config --hash`.
LEFT_OUT = ("build", "pull_policy", "scale", "depends_on", "profiles", "label_file")

FILE = "source target uid gid mode"
HOOK = "command user privileged working_dir environment"
GPU = "capabilities driver count device_ids options"
UPDATE = "parallelism delay failure_action monitor max_failure_ratio order"
LIMITS = "cpus memory pids devices generic_resources"
# Where docker compose does not sort keys by name; lists are passed through. What is missing in a row
# comes after it, by name.
DECLARED = {
    "": (
        "annotations attach develop blkio_config cap_add cap_drop cgroup_parent cgroup cpu_count "
        "cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpus cpuset cpu_shares "
        "command configs container_name credential_spec deploy device_cgroup_rules devices dns "
        "dns_opt dns_search dockerfile domainname entrypoint provider environment env_file expose extends "
        "external_links extra_hosts group_add gpus hostname healthcheck image init ipc isolation "
        "labels links logging log_driver log_opt mem_limit mem_reservation memswap_limit "
        "mem_swappiness mac_address models net network_mode networks oom_kill_disable "
        "oom_score_adj pid pids_limit platform ports privileged read_only restart runtime secrets "
        "security_opt shm_size stdin_open stop_grace_period stop_signal storage_opt sysctls tmpfs "
        "tty ulimits use_api_socket user userns_mode uts volume_driver volumes volumes_from "
        "working_dir post_start pre_stop"
    ),
    "blkio_config": "weight weight_device",
    "configs": FILE,
    "deploy": (
        "mode labels update_config rollback_config resources restart_policy placement endpoint_mode"
    ),
    "deploy.placement": "constraints preferences",
    "deploy.resources.limits": LIMITS,
    "deploy.resources.reservations": LIMITS,
    "deploy.resources.reservations.devices": GPU,
    "deploy.rollback_config": UPDATE,
    "deploy.update_config": UPDATE,
    "develop.watch": "path action target exec include ignore initial_sync",
    "develop.watch.exec": HOOK,
    "devices": "source target permissions",
    "env_file": "path required format",
    "gpus": GPU,
    "healthcheck": "test timeout interval retries start_period start_interval disable",
    "ports": "name mode host_ip target published protocol app_protocol",
    "post_start": HOOK,
    "pre_stop": HOOK,
    "provider": "type",
    "secrets": FILE,
    "ulimits.*": "single soft",
    "volumes": "type source target read_only consistency bind volume tmpfs image",
    "volumes.bind": "selinux propagation create_host_path",
    "volumes.tmpfs": "size",
}
RANKS = {
    path: {word: f"\0{number:03}" for number, word in enumerate(words.split())}
    for path, words in DECLARED.items()
}
# What stands there though nothing was said.
ADDED: dict[str, Tree] = {
    "": {"command": None, "entrypoint": None},
    "deploy": {"resources": {}, "placement": {}},
    "develop.watch": {"exec": {}},
    "develop.watch.exec": {"command": None},
    "post_start": {"command": None},
    "pre_stop": {"command": None},
}
# Where users choose the keys; elsewhere those with x- are extensions, which do not count.
FREE = ("environment", "labels", "annotations", "sysctls", "options", "_opt", "_opts")
CAPITALS = ("blkio_config.device", "blkio_config.weight_device")  # beginnings of paths
# Go writes these letters so, since JSON may stand in a page of HTML.
ESCAPED = ((b"&", b"\\u0026"), (b"<", b"\\u003c"), (b">", b"\\u003e"))


def service_hash(service: Service) -> str:
    """Give the ``config-hash`` of a service: 64 hexadecimal digits."""
    tree = {key: value for key, value in service.raw.items() if key not in LEFT_OUT}
    deploy = tree.get("deploy")
    if isinstance(deploy, dict):
        tree["deploy"] = {key: value for key, value in deploy.items() if key != "replicas"}
    if "env_file" in tree:
        tree["env_file"] = [_env_file(one) for one in tree["env_file"]]
    return _digest(_ordered(tree, ""))


def _env_file(entry: Tree) -> Any:
    """Write an env file that nobody has read yet as docker compose does: by its path, if it must be there."""
    return entry["path"] if entry.get("required", True) else entry


def network_hash(network: Network) -> str:
    """Give the ``config-hash`` of a network."""
    ipam = {"driver": network.ipam_driver, "config": [_pool(one) for one in network.pools]}
    tree = {
        "name": network.name,
        "driver": network.driver,
        "driver_opts": _by_name(network.driver_opts),
        "ipam": _filled(ipam),
        "internal": network.internal,
        "attachable": network.attachable,
        "labels": _by_name(network.labels),
    }
    unusual = {} if network.enable_ipv4 else {"enable_ipv4": False}
    if network.enable_ipv6:
        unusual["enable_ipv6"] = True
    return _digest({"name": network.name, **_filled(tree), "ipam": _filled(ipam), **unusual})


def volume_hash(volume: Volume) -> str:
    """Give the ``config-hash`` of a volume."""
    tree = {
        "name": volume.name,
        "driver": volume.driver or "local",
        "driver_opts": _by_name(volume.driver_opts),
        "labels": _by_name(volume.labels),
    }
    return _digest(_filled(tree))


def _pool(pool: Pool) -> Tree:
    return _filled(
        {
            "subnet": pool.subnet,
            "gateway": pool.gateway,
            "ip_range": pool.ip_range,
            "aux_addresses": _by_name(pool.aux_addresses),
        }
    )


def _filled(tree: Tree) -> Tree:
    return {key: value for key, value in tree.items() if value}


def _by_name(words: dict[str, str]) -> dict[str, str]:
    return {key: words[key] for key in sorted(words)}


def _ordered(node: Any, path: str) -> Any:
    if isinstance(node, list | tuple):
        return [_ordered(one, path) for one in node]
    if not isinstance(node, dict):
        return node
    ranks = RANKS.get(path, {})
    node = {**ADDED[path], **node} if path in ADDED else node
    keys = sorted(node, key=lambda key: ranks.get(key, key))
    if not path.endswith(FREE):
        keys = [key for key in keys if not key.startswith("x-")]
    if path.startswith(CAPITALS):
        return {key.capitalize(): node[key] for key in keys}
    return {key: _ordered(node[key], _below(path, key)) for key in keys}


def _below(path: str, key: str) -> str:
    if path == "ulimits":
        return "ulimits.*"
    return f"{path}.{key}" if path else key


def _digest(tree: Tree) -> str:
    text = to_json(tree)
    for letter, code in ESCAPED:
        text = text.replace(letter, code)
    return hashlib.sha256(text).hexdigest()
