"""Support rules that depend on the value of a key: some values of an honoured key are not honoured."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from cntnr_compose.compose.support.level import KeySupport, SupportLevel
from cntnr_compose.core import names, oci_runtimes
from cntnr_compose.core.errors import did_you_mean
from cntnr_compose.core.units import parse_port_range
from cntnr_compose.model.host import DOCKER_SOCKETS, HostCapabilities

ValueRule: TypeAlias = Callable[[Any, HostCapabilities], KeySupport | None]

FILE_LOG_DRIVERS = ("", "json-file", "local", "k8s-file")
SENT_LOG_DRIVERS = ("journald", "syslog", "none")
UNSENT_LOG_DRIVERS = ("fluentd", "gelf")  # servers of the user's own, which get nothing
CLOUD_LOG_DRIVERS = ("awslogs", "gcplogs", "logentries", "splunk")
FILE_LOG_OPTIONS = frozenset({"max-size", "max-file", "labels", "env"})
KEPT_IN_FILES = "output is kept in files, where `logs` reads it"
BRIDGE_OPTIONS = frozenset(
    {
        "com.docker.network.bridge.name",
        "com.docker.network.driver.mtu",
        "com.docker.network.bridge.enable_ip_masquerade",
    }
)
# What these permit lies outside of every namespace.
UNCONFINED_CAPABILITIES = frozenset(
    {
        "AUDIT_CONTROL", "AUDIT_READ", "BLOCK_SUSPEND", "BPF", "MAC_ADMIN", "MAC_OVERRIDE",
        "PERFMON", "SYSLOG", "SYS_BOOT", "SYS_MODULE", "SYS_NICE", "SYS_RAWIO", "SYS_RESOURCE",
        "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM",
    }
)  # fmt: skip
NO_DAEMON = "this is docker's socket; who reads it will find no daemon"
NO_ROOT = "takes root on the machine"


def support_of_value(path: str, value: Any, host: HostCapabilities) -> KeySupport | None:
    """Return the support of a key if its value decides it; None: the tables of keys decide."""
    rule = VALUE_RULES.get(path)
    return rule(value, host) if rule else None


def _if_one_of(values: tuple[Any, ...], level: SupportLevel, note: str) -> ValueRule:
    support = KeySupport(level=level, note=note)
    return lambda value, _: support if value in values else None


def _unless_one_of(values: tuple[Any, ...], level: SupportLevel, note: str) -> ValueRule:
    support = KeySupport(level=level, note=note)
    return lambda value, _: None if value in values else support


def _only_keys(known: frozenset[str], note: str) -> ValueRule:
    def rule(value: Any, _: HostCapabilities) -> KeySupport | None:
        others = sorted(set(value) - known) if isinstance(value, Mapping) else []
        if not others:
            return None
        return KeySupport(level="reduced", note=f"{note}, not {', '.join(others)}")

    return rule


def _published_port(value: Any, host: HostCapabilities) -> KeySupport | None:
    if value in (None, ""):
        return None
    ports = parse_port_range(str(value))
    if ports is None:
        return KeySupport(level="refused", note=f"{value} is neither a port nor a range of ports")
    first = ports[0]
    if not 0 < first < host.lowest_port:
        return None
    note = (
        f"ordinary users may use ports from {host.lowest_port} on, until an administrator runs"
        f" `sysctl -w net.ipv4.ip_unprivileged_port_start={first}`"
    )
    return KeySupport(level="refused", note=note, doctor_check="low ports")


def _logging(value: Any, host: HostCapabilities) -> KeySupport | None:
    driver = value.get("driver") or ""
    if driver == "journald" and not host.has_journal:
        return KeySupport(level="reduced", note=f"there is no journal here; {KEPT_IN_FILES}")
    if driver in SENT_LOG_DRIVERS:
        return None
    if driver not in (*FILE_LOG_DRIVERS, *UNSENT_LOG_DRIVERS):
        return KeySupport(level="refused", note=_why_no_log_driver(driver))
    if driver not in FILE_LOG_DRIVERS:
        note = f"nothing is sent to {driver}; {KEPT_IN_FILES}"
        return KeySupport(level="reduced", note=note)
    others = sorted(set(value.get("options") or {}) - FILE_LOG_OPTIONS)
    if not others:
        return None
    note = (
        f"options of logs in files are max-size, max-file, labels and env, not {', '.join(others)}"
    )
    return KeySupport(level="reduced", note=note)


def _why_no_log_driver(driver: str) -> str:
    """Tell why a log driver cannot be used, and which can."""
    choices = ", ".join((*FILE_LOG_DRIVERS[1:], *SENT_LOG_DRIVERS))
    if driver in CLOUD_LOG_DRIVERS:
        return f"nothing can be sent to {driver} here; log drivers are {choices}"
    near = did_you_mean(driver, (*FILE_LOG_DRIVERS, *SENT_LOG_DRIVERS, *UNSENT_LOG_DRIVERS))
    known = f"no log driver named '{driver}' is registered; there are {choices}"
    return f"{known}; {near}" if near else known


def _user(value: Any, _: HostCapabilities) -> KeySupport | None:
    user, _colon, group = str(value).partition(":")
    return KeySupport(level="honoured") if {user, group} <= {"root", "0", ""} else None


def _extension(value: Any, _: HostCapabilities) -> KeySupport | None:
    keys = value if isinstance(value, Mapping) else {"": None}
    if set(keys) <= {"proot"} and all(isinstance(one, bool) for one in keys.values()):
        return None
    return KeySupport(level="refused", note="its only key is proot, which is true or false")


def _capabilities(value: Any, _: HostCapabilities) -> KeySupport | None:
    added = {str(name).upper().removeprefix("CAP_") for name in value or ()}
    outside = sorted(added & UNCONFINED_CAPABILITIES)
    if not outside:
        return None
    return KeySupport(level="reduced", note=f"{', '.join(outside)} {NO_ROOT}")


def _entitlements(value: Any, _: HostCapabilities) -> KeySupport | None:
    others = sorted({str(word) for word in value or ()} - {"network.host"})
    if not others:
        return None
    return KeySupport(level="reduced", note=f"{', '.join(others)} {NO_ROOT}")


def _one_pool(value: Any, _: HostCapabilities) -> KeySupport | None:
    if isinstance(value, list) and len(value) > 1:
        return KeySupport(level="reduced", note="a network has one pool, the first of IPv4")
    return None


def _volume_type(value: Any, _: HostCapabilities) -> KeySupport | None:
    kind = str(value.get("type") or "") if isinstance(value, Mapping) else ""
    if kind in ("", "none", "bind", "tmpfs"):
        return None
    return KeySupport(level="refused", note=f"a file system of type {kind} {NO_ROOT}")


def _platforms(value: Any, host: HostCapabilities) -> KeySupport | None:
    platforms = value if isinstance(value, list) else [value]
    foreign = [str(one) for one in platforms if not _is_native(str(one), host)]
    if not foreign:
        return None
    note = f"images are built for this machine, {host.platform}, not for {', '.join(foreign)}"
    return KeySupport(level="refused", note=note)


def _platform(value: Any, host: HostCapabilities) -> KeySupport | None:
    return KeySupport(level="honoured") if not value or _is_native(str(value), host) else None


def _is_native(platform: str, host: HostCapabilities) -> bool:
    return host.platform in (platform, platform.rpartition("/v")[0])


def _runtime(value: Any, _: HostCapabilities) -> KeySupport | None:
    why = oci_runtimes.unknown_reason(str(value))
    return KeySupport(level="refused", note=why) if why else None


def _docker_socket(value: Any, host: HostCapabilities) -> KeySupport | None:
    if value not in DOCKER_SOCKETS or host.has_docker:
        return None
    return KeySupport(level="reduced", note=NO_DAEMON)


def _deploy_mode(value: Any, _: HostCapabilities) -> KeySupport | None:
    if value == "global":
        return KeySupport(level="emulated", note="there is one machine, so one container")
    if value in (None, "", "replicated"):
        return None
    return KeySupport(level="reduced", note="jobs are for a Swarm; `restart: no` is near it")


def _pid_namespace(value: Any, _: HostCapabilities) -> KeySupport | None:
    if value != "host":
        return None
    return KeySupport(
        level="emulated", note="shows the processes of all containers, not the machine's"
    )


def _valid_name(kind: names.NamedKind) -> ValueRule:
    def rule(value: Any, _: HostCapabilities) -> KeySupport | None:
        why = names.invalid_reason(kind, str(value))
        return KeySupport(level="refused", note=why) if why else None

    return rule


VALUE_RULES: dict[str, ValueRule] = {
    **{
        f"services.*.{section}.*.{key}": _user
        for section in ("configs", "secrets")
        for key in ("uid", "gid")
    },
    "services.*.container_name": _valid_name("container"),
    "networks.*.name": _valid_name("network"),
    "volumes.*.name": _valid_name("volume"),
    "services.*.build.entitlements": _entitlements,
    "services.*.build.network": _unless_one_of(
        ("", "default", "none", "host"), "refused", "networks of builds are none, host, default"
    ),
    "services.*.build.platforms": _platforms,
    "services.*.platform": _platform,
    "services.*.cap_add": _capabilities,
    "services.*.logging": _logging,
    "services.*.network_mode": _if_one_of(
        ("bridge", "default"), "emulated", "a network of the project's own, with names"
    ),
    "services.*.pid": _pid_namespace,
    "services.*.ports.*.protocol": _unless_one_of(
        ("", "tcp", "udp"), "refused", "only tcp and udp can be forwarded without root"
    ),
    "services.*.ports.*.published": _published_port,
    "services.*.pre_start.*.per_replica": _if_one_of(
        (True,), "refused", "the hook runs once for all containers of the service: set it to false"
    ),
    "services.*.restart": _if_one_of(
        ("always", "unless-stopped"),
        "emulated",
        "until the machine is restarted; `cntnr compose enable` brings it back then",
    ),
    "services.*.runtime": _runtime,
    "services.*.user": _user,
    "services.*.x-cntnr": _extension,
    "services.*.userns_mode": _unless_one_of(
        ("", "host"), "reduced", "all containers share one user namespace"
    ),
    "services.*.volumes.*.source": _docker_socket,
    "services.*.volumes.*.type": _unless_one_of(
        ("bind", "volume", "tmpfs", "image"), "refused", "it does not exist on Linux"
    ),
    "services.*.deploy.mode": _deploy_mode,
    "networks.*.driver": _unless_one_of(
        ("", "bridge", "default"), "refused", f"any but the bridge driver {NO_ROOT}"
    ),
    "networks.*.driver_opts": _only_keys(BRIDGE_OPTIONS, "a bridge has name, mtu, masquerade"),
    "networks.*.enable_ipv4": lambda value, _: (
        KeySupport(level="honoured") if value is True else None
    ),
    "networks.*.ipam.config": _one_pool,
    "networks.*.ipam.driver": _unless_one_of(
        ("", "default", "host-local"), "reduced", "addresses are given by host-local"
    ),
    "volumes.*.driver": _unless_one_of(
        ("", "local"), "refused", f"any but the local driver {NO_ROOT}"
    ),
    "volumes.*.driver_opts": _volume_type,
    "configs.*.external": _if_one_of((True,), "refused", "there is no store of configs here"),
    "secrets.*.external": _if_one_of((True,), "refused", "there is no store of secrets here"),
}
