"""Make the mapping of a compose service of the flags of a new container: a flag and its key are one."""

from collections.abc import Callable, Mapping
from typing import Any

from cntnr_compose.cli.flows.containers.flags import values
from cntnr_compose.cli.flows.containers.flags.block_limits import map_block_limits
from cntnr_compose.cli.flows.containers.flags.mounts import map_mounts
from cntnr_compose.cli.flows.containers.flags.networks import map_networks
from cntnr_compose.cli.flows.shared_arguments import BadOption, Incompatible
from cntnr_compose.core.errors import did_you_mean
from cntnr_compose.core.frozen import Tree

# Flags whose value a key takes as it is: as text, list or boolean.
SAME_VALUES = {
    "cap_add": "cap_add",
    "cap_drop": "cap_drop",
    "cgroup_parent": "cgroup_parent",
    "cgroupns": "cgroup",
    "cpu_period": "cpu_period",
    "cpu_quota": "cpu_quota",
    "cpu_rt_period": "cpu_rt_period",
    "cpu_rt_runtime": "cpu_rt_runtime",
    "cpu_shares": "cpu_shares",
    "cpus": "cpus",
    "cpuset_cpus": "cpuset",
    "device_cgroup_rule": "device_cgroup_rules",
    "dns": "dns",
    "dns_option": "dns_opt",
    "dns_search": "dns_search",
    "domainname": "domainname",
    "expose": "expose",
    "group_add": "group_add",
    "hostname": "hostname",
    "init": "init",
    "interactive": "stdin_open",
    "ipc": "ipc",
    "link": "external_links",
    "memory": "mem_limit",
    "memory_reservation": "mem_reservation",
    "memory_swap": "memswap_limit",
    "memory_swappiness": "mem_swappiness",
    "oom_kill_disable": "oom_kill_disable",
    "oom_score_adj": "oom_score_adj",
    "pid": "pid",
    "pids_limit": "pids_limit",
    "platform": "platform",
    "privileged": "privileged",
    "publish": "ports",
    "read_only": "read_only",
    "runtime": "runtime",
    "shm_size": "shm_size",
    "tmpfs": "tmpfs",
    "tty": "tty",
    "user": "user",
    "userns": "userns_mode",
    "uts": "uts",
    "workdir": "working_dir",
}
# Flags whose value is read first.
PARSED_VALUES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "add_host": ("extra_hosts", values.parse_hosts),
    "annotation": ("annotations", values.parse_pairs("annotation")),
    "device": ("devices", values.parse_devices),
    "entrypoint": ("entrypoint", lambda word: [word] if word else []),
    "gpus": ("gpus", lambda word: "all" if word == "all" else [{"count": word}]),
    "restart": ("restart", values.check_restart),
    "security_opt": ("security_opt", values.parse_security_options),
    "stop_signal": ("stop_signal", values.check_signal),
    "stop_timeout": ("stop_grace_period", values.parse_stop_timeout),
    "storage_opt": ("storage_opt", values.parse_pairs("storage-opt")),
    "sysctl": ("sysctls", values.parse_pairs("sysctl")),
    "ulimit": ("ulimits", values.parse_ulimits),
}
# Keys that several flags make, for messages.
KEY_FLAGS = {
    **{key: name for name, key in SAME_VALUES.items()},
    **{key: name for name, (key, _) in PARSED_VALUES.items()},
    "blkio_config": "blkio_weight",
    "environment": "env",
    "healthcheck": "health_cmd",
    "labels": "label",
    "logging": "log_driver",
    "mac_address": "mac_address",
    "network_mode": "network",
    "networks": "network",
    "volumes": "volume",
    "volumes_from": "volumes_from",
    "x-cntnr": "proot",
}
READINESS = ("conmon", "container", "healthy", "ignore")  # podman's words
HEALTH_KEYS = ("interval", "retries", "start_interval", "start_period", "timeout")


def build_mapping(flags: Mapping[str, Any], environ: Mapping[str, str]) -> Tree:
    """Return the mapping of the service that the flags describe.

    Raises `BadOption`, `Incompatible`, and the errors of reading files.
    """
    mapping: Tree = {"image": flags["image"]}
    for name, key in SAME_VALUES.items():
        value = flags[name]
        if value not in (None, False, ()):
            mapping[key] = list(value) if isinstance(value, tuple) else value
    for name, (key, parse) in PARSED_VALUES.items():
        if flags[name] not in (None, ()):
            mapping[key] = parse(flags[name])
    if flags["proot"]:
        mapping["x-cntnr"] = {"proot": True}
    if flags["command"]:
        mapping["command"] = list(flags["command"])
    mapping["environment"] = values.parse_environment(flags["env_file"], flags["env"], environ)
    mapping["labels"] = values.parse_labels(flags["label_file"], flags["label"])
    for part in (map_mounts, map_networks, map_block_limits, _map_health, _map_logging):
        mapping |= part(flags)
    mapping["annotations"] = mapping.get("annotations", {}) | _map_readiness(flags["sdnotify"])
    _check_namespaces(mapping)
    return {key: value for key, value in mapping.items() if value not in ({}, None)}


def _map_health(flags: Mapping[str, Any]) -> Tree:
    healthcheck = {key: flags[f"health_{key}"] for key in HEALTH_KEYS if flags[f"health_{key}"]}
    if flags["health_cmd"]:
        healthcheck["test"] = ["CMD-SHELL", flags["health_cmd"]]
    if flags["no_healthcheck"]:
        if healthcheck:
            raise Incompatible("--no-healthcheck", "--health-*")
        healthcheck["disable"] = True
    return {"healthcheck": healthcheck} if healthcheck else {}


def _map_logging(flags: Mapping[str, Any]) -> Tree:
    logging: Tree = {"driver": flags["log_driver"]} if flags["log_driver"] else {}
    if flags["log_opt"]:
        logging["options"] = values.parse_pairs("log-opt")(flags["log_opt"])
    return {"logging": logging} if logging else {}


def _map_readiness(word: str) -> Tree:
    """Map `--sdnotify`; the default leaves no trace. Raises `BadOption`."""
    if word not in READINESS:
        hint = did_you_mean(word, READINESS) or f"it can be {', '.join(READINESS)}"
        raise BadOption("--sdnotify", word, hint)
    if word == READINESS[0]:
        return {}
    from cntnr_compose.containers.bundle.notify_socket import ANNOTATION

    return {ANNOTATION: word}


def _check_namespaces(mapping: Tree) -> None:
    """Refuse what only a compose file can say: the namespaces of a service."""
    for key in ("ipc", "pid", "uts", "cgroup"):
        mode = mapping.get(key, "")
        if mode.startswith("service:"):
            flag = f"--{KEY_FLAGS[key].replace('_', '-')}"
            raise BadOption(flag, mode, "it can be host or container:NAME")
