"""Compute docker compose's config hash of services, networks and volumes.

A hash that has changed means a changed definition. What is hashed is what docker compose hashes: JSON
without spaces, keys in the order in which docker compose declares them.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from cntnr_compose.core.values import Tree, to_json
from cntnr_compose.model.observed import Observed
from cntnr_compose.model.project import AddressPool, FileSource, Network, Project, Volume
from cntnr_compose.model.service import FileMount, Service

# What may change without recreating containers. The labels of label_file are merged into the service before,
# so that their content counts; variables of env_file too, but not for `config --hash`.
EXCLUDED_KEYS = ("build", "pull_policy", "scale", "depends_on", "profiles", "label_file")

FILE = "source target uid gid mode"
HOOK = "command user privileged working_dir environment"
GPU = "capabilities driver count device_ids options"
UPDATE = "parallelism delay failure_action monitor max_failure_ratio order"
LIMITS = "cpus memory pids devices generic_resources"
# The order of keys where docker compose does not sort them by name, by path; list indices are left out of
# paths. Keys that are missing here come last, by name.
KEY_ORDER = {
    "": (
        "annotations attach develop blkio_config cap_add cap_drop cgroup_parent cgroup cpu_count "
        "cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpus cpuset cpu_shares "
        "command configs container_name credential_spec deploy device_cgroup_rules devices dns "
        "dns_opt dns_search domainname entrypoint provider environment env_file expose extends "
        "external_links extra_hosts group_add gpus hostname healthcheck image init ipc isolation "
        "labels links logging mem_limit mem_reservation memswap_limit "
        "mem_swappiness mac_address models network_mode networks oom_kill_disable "
        "oom_score_adj pid pids_limit platform ports privileged read_only restart runtime secrets "
        "security_opt shm_size stdin_open stop_grace_period stop_signal storage_opt sysctls tmpfs "
        "tty ulimits use_api_socket user userns_mode uts volume_driver volumes volumes_from "
        "working_dir pre_start post_start pre_stop"
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
    "pre_start": f"{HOOK} image per_replica",
    "post_start": HOOK,
    "pre_stop": HOOK,
    "provider": "type",
    "secrets": FILE,
    "ulimits.*": "single soft",
    "volumes": "type source target read_only consistency bind volume tmpfs image",
    "volumes.bind": "selinux propagation create_host_path",
    "volumes.tmpfs": "size",
}
# Sort keys: declared ones come before all others, which sort by name.
RANKS = {
    path: {word: f"\0{number:03}" for number, word in enumerate(words.split())}
    for path, words in KEY_ORDER.items()
}
# What docker compose adds where a file does not set it.
IMPLIED_VALUES: dict[str, Tree] = {
    "": {"command": None, "entrypoint": None},
    "deploy": {"resources": {}, "placement": {}},
    "develop.watch": {"exec": {}},
    "develop.watch.exec": {"command": None},
    "pre_start": {"command": None},
    "post_start": {"command": None},
    "pre_stop": {"command": None},
}
# Ends of paths below which users choose the keys; elsewhere keys with x- are extensions and left out.
USER_KEYED = ("environment", "labels", "annotations", "sysctls", "options", "_opt", "_opts")
CAPITALIZED = (
    "blkio_config.device",
    "blkio_config.weight_device",
)  # beginnings of paths whose keys Go writes with a capital
# Go escapes these letters, for JSON within HTML.
ESCAPED = ((b"&", b"\\u0026"), (b"<", b"\\u003c"), (b">", b"\\u003e"))


def service_hash(service: Service) -> str:
    """Return the ``config-hash`` of a service: 64 hexadecimal digits."""
    return _digest(_in_docker_order(_hashed_tree(service), ""))


def changed_keys(old: Service, new: Service) -> list[str]:
    """List the keys in which the hashed parts of two definitions differ: ``image``, ``environment.NAME``."""
    before, after = _hashed_tree(old), _hashed_tree(new)
    keys = []
    for key in sorted({*before, *after}):
        values = before.get(key), after.get(key)
        if values[0] == values[1]:
            continue
        inner = [value if isinstance(value, dict) else {} for value in values]
        deeper = sorted({*inner[0], *inner[1]})
        changed = [name for name in deeper if inner[0].get(name) != inner[1].get(name)]
        keys += [f"{key}.{name}" for name in changed] or [key]
    return keys


def _hashed_tree(service: Service) -> Tree:
    """Return the part of a service's tree whose changes count."""
    tree = {key: value for key, value in service.raw.items() if key not in EXCLUDED_KEYS}
    deploy = tree.get("deploy")
    if isinstance(deploy, dict):
        tree["deploy"] = {key: value for key, value in deploy.items() if key != "replicas"}
    tree.pop("x-cntnr", None)
    if service.proot is not None:
        tree["proot"] = service.proot
    if "env_file" in tree:
        tree["env_file"] = [_env_file(one) for one in tree["env_file"]]
    return tree


def source_digests(project: Project, service: Service, observed: Observed) -> dict[str, str]:
    """Return digests of the configs and secrets that a service uses, by ``config NAME``.

    docker compose's hash has nothing of them. The content of a file counts where containers have a copy of
    it, as ``observed``. What has no value now is left out.
    """
    digests = {}
    for name, use, source in _uses_of_sources(project, service):
        content = source.content
        if source.file and use.is_copy:
            content = observed.file_digests.get(source.file)
        if content is not None or (source.file and not use.is_copy):
            text = to_json([source.file, content])
            digests[name] = hashlib.sha256(text).hexdigest()
    return digests


def _uses_of_sources(
    project: Project, service: Service
) -> Iterator[tuple[str, FileMount, FileSource]]:
    for kind, uses, sources in (
        ("config", service.configs, project.configs),
        ("secret", service.secrets, project.secrets),
    ):
        for use in uses:
            if use.source in sources:
                yield f"{kind} {use.source}", use, sources[use.source]


def _env_file(entry: Tree) -> Any:
    """Write an env_file entry as docker compose does: only its path where the file is required."""
    return entry["path"] if entry.get("required", True) else entry


def network_hash(network: Network) -> str:
    """Return the ``config-hash`` of a network."""
    ipam = {"driver": network.ipam_driver, "config": [_pool(one) for one in network.pools]}
    tree = {
        "name": network.name,
        "driver": network.driver,
        "driver_opts": _sorted_by_key(network.driver_opts),
        "ipam": _without_empty(ipam),
        "internal": network.internal,
        "attachable": network.attachable,
        "labels": _sorted_by_key(network.labels),
    }
    unusual = {} if network.enable_ipv4 else {"enable_ipv4": False}
    if network.enable_ipv6:
        unusual["enable_ipv6"] = True
    return _digest(
        {"name": network.name, **_without_empty(tree), "ipam": _without_empty(ipam), **unusual}
    )


def volume_hash(volume: Volume) -> str:
    """Return the ``config-hash`` of a volume."""
    tree = {
        "name": volume.name,
        "driver": volume.driver or "local",
        "driver_opts": _sorted_by_key(volume.driver_opts),
        "labels": _sorted_by_key(volume.labels),
    }
    return _digest(_without_empty(tree))


def _pool(pool: AddressPool) -> Tree:
    return _without_empty(
        {
            "subnet": pool.subnet,
            "gateway": pool.gateway,
            "ip_range": pool.ip_range,
            "aux_addresses": _sorted_by_key(pool.aux_addresses),
        }
    )


def _without_empty(tree: Tree) -> Tree:
    return {key: value for key, value in tree.items() if value}


def _sorted_by_key(words: dict[str, str]) -> dict[str, str]:
    return {key: words[key] for key in sorted(words)}


def _in_docker_order(node: Any, path: str) -> Any:
    if isinstance(node, list | tuple):
        return [_in_docker_order(one, path) for one in node]
    if not isinstance(node, dict):
        return node
    ranks = RANKS.get(path, {})
    node = {**IMPLIED_VALUES[path], **node} if path in IMPLIED_VALUES else node
    keys = sorted(node, key=lambda key: ranks.get(key, key))
    if not path.endswith(USER_KEYED):
        keys = [key for key in keys if not key.startswith("x-")]
    if path.startswith(CAPITALIZED):
        return {key.capitalize(): node[key] for key in keys}
    return {key: _in_docker_order(node[key], _child_path(path, key)) for key in keys}


def _child_path(path: str, key: str) -> str:
    if path == "ulimits":
        return "ulimits.*"
    return f"{path}.{key}" if path else key


def _digest(tree: Tree) -> str:
    text = to_json(tree)
    for letter, code in ESCAPED:
        text = text.replace(letter, code)
    return hashlib.sha256(text).hexdigest()
