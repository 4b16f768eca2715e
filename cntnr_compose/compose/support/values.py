"""Keys whose fate hangs on their value: some values of an honoured key are not honoured."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from cntnr_compose.compose.support.level import KeySupport, SupportLevel
from cntnr_compose.core import names
from cntnr_compose.core.transports import REMOTE_PREFIXES
from cntnr_compose.core.units import parse_port_range
from cntnr_compose.model.host import HostCapabilities

ValueRule: TypeAlias = Callable[[Any, HostCapabilities], KeySupport | None]

LOG_DRIVERS = ("", "json-file", "local", "k8s-file", "none")
LOG_OPTIONS = frozenset({"max-size", "max-file"})
BRIDGE_OPTIONS = frozenset(
    {
        "com.docker.network.bridge.name",
        "com.docker.network.driver.mtu",
        "com.docker.network.bridge.enable_ip_masquerade",
    }
)
# What these allow lies outside of every namespace.
OF_THE_MACHINE = frozenset(
    {
        "AUDIT_CONTROL", "AUDIT_READ", "BLOCK_SUSPEND", "BPF", "MAC_ADMIN", "MAC_OVERRIDE",
        "PERFMON", "SYSLOG", "SYS_BOOT", "SYS_MODULE", "SYS_NICE", "SYS_RAWIO", "SYS_RESOURCE",
        "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM",
    }
)  # fmt: skip
NO_ROOT = "takes root on the machine"


def support_of_value(path: str, value: Any, machine: HostCapabilities) -> KeySupport | None:
    """Give the fate of a key where its value decides it; None: the key's own row stands."""
    rule = VALUE_RULES.get(path)
    return rule(value, machine) if rule else None


def _if_one_of(words: tuple[Any, ...], state: SupportLevel, note: str) -> ValueRule:
    row = KeySupport(level=state, note=note)
    return lambda value, _: row if value in words else None


def _unless_one_of(words: tuple[Any, ...], state: SupportLevel, note: str) -> ValueRule:
    row = KeySupport(level=state, note=note)
    return lambda value, _: None if value in words else row


def _keys_beside(words: frozenset[str], note: str) -> ValueRule:
    def rule(value: Any, _: HostCapabilities) -> KeySupport | None:
        beside = sorted(set(value) - words) if isinstance(value, Mapping) else []
        return (
            KeySupport(level="reduced", note=f"{note}, not {', '.join(beside)}") if beside else None
        )

    return rule


def _published_port(value: Any, machine: HostCapabilities) -> KeySupport | None:
    if value in (None, ""):
        return None
    ports = parse_port_range(str(value))
    if ports is None:
        return KeySupport(level="refused", note=f"{value} is neither a port nor a range of ports")
    first = ports[0]
    if not 0 < first < machine.lowest_port:
        return None
    note = (
        f"ordinary users may use ports from {machine.lowest_port} on, until an administrator runs"
        f" `sysctl -w net.ipv4.ip_unprivileged_port_start={first}`"
    )
    return KeySupport(level="refused", note=note, doctor_check="low ports")


def _user(value: Any, _: HostCapabilities) -> KeySupport | None:
    words = str(value).partition(":")
    return KeySupport(level="honoured") if {words[0], words[2]} <= {"root", "0", ""} else None


def _rights(value: Any, _: HostCapabilities) -> KeySupport | None:
    words = {str(one).upper().removeprefix("CAP_") for one in value or ()}
    outside = sorted(words & OF_THE_MACHINE)
    if not outside:
        return None
    return KeySupport(level="reduced", note=f"{', '.join(outside)} {NO_ROOT}")


def _pools(value: Any, _: HostCapabilities) -> KeySupport | None:
    if isinstance(value, list) and len(value) > 1:
        return KeySupport(level="reduced", note="a network has one pool, the first of IPv4")
    return None


def _file_system(value: Any, _: HostCapabilities) -> KeySupport | None:
    kind = str(value.get("type") or "") if isinstance(value, Mapping) else ""
    if kind in ("", "none", "bind", "tmpfs"):
        return None
    return KeySupport(level="refused", note=f"a file system of type {kind} {NO_ROOT}")


def _platforms(value: Any, machine: HostCapabilities) -> KeySupport | None:
    asked = value if isinstance(value, list) else [value]
    foreign = [str(one) for one in asked if not _is_own(str(one), machine)]
    if not foreign:
        return None
    note = f"images are built for this machine, {machine.platform}, not for {', '.join(foreign)}"
    return KeySupport(level="refused", note=note)


def _platform(value: Any, machine: HostCapabilities) -> KeySupport | None:
    return KeySupport(level="honoured") if not value or _is_own(str(value), machine) else None


def _is_own(platform: str, machine: HostCapabilities) -> bool:
    return machine.platform in (platform, platform.rpartition("/v")[0])


def _context(value: Any, _: HostCapabilities) -> KeySupport | None:
    if not str(value).startswith(REMOTE_PREFIXES):
        return None
    return KeySupport(level="refused", note="clone or download it, and name the folder")


def _contexts(value: Any, _: HostCapabilities) -> KeySupport | None:
    words = [str(one) for one in value.values()] if isinstance(value, Mapping) else []
    for word in words:
        if word.startswith(("docker-image://", "service:")):
            continue
        if "://" in word or word.startswith(REMOTE_PREFIXES):
            return KeySupport(level="refused", note=f"{word} is not on this machine")
    return None


def _mode(value: Any, _: HostCapabilities) -> KeySupport | None:
    if value == "global":
        return KeySupport(level="emulated", note="there is one machine, so one container")
    if value in (None, "", "replicated"):
        return None
    return KeySupport(level="reduced", note="jobs are for a Swarm; `restart: no` is near it")


def _namespace(value: Any, _: HostCapabilities) -> KeySupport | None:
    if value != "host":
        return None
    return KeySupport(
        level="emulated", note="shows the processes of all containers, not the machine's"
    )


def _name(kind: names.NamedKind) -> ValueRule:
    def rule(value: Any, _: HostCapabilities) -> KeySupport | None:
        why = names.invalid_reason(kind, str(value))
        return KeySupport(level="refused", note=why) if why else None

    return rule


VALUE_RULES: dict[str, ValueRule] = {
    **{
        f"services.*.{kind}.*.{key}": _user
        for kind in ("configs", "secrets")
        for key in ("uid", "gid")
    },
    "services.*.container_name": _name("container"),
    "networks.*.name": _name("network"),
    "volumes.*.name": _name("volume"),
    "services.*.build.additional_contexts": _contexts,
    "services.*.build.context": _context,
    "services.*.build.network": _unless_one_of(
        ("", "default", "none", "host"), "refused", "networks of builds are none, host, default"
    ),
    "services.*.build.platforms": _platforms,
    "services.*.platform": _platform,
    "services.*.cap_add": _rights,
    "services.*.logging.driver": _unless_one_of(
        LOG_DRIVERS, "refused", "log drivers are json-file, local and none"
    ),
    "services.*.logging.options": _keys_beside(LOG_OPTIONS, "options are max-size and max-file"),
    "services.*.network_mode": _if_one_of(
        ("bridge", "default"), "emulated", "a network of the project's own, with names"
    ),
    "services.*.pid": _namespace,
    "services.*.ports.*.protocol": _unless_one_of(
        ("", "tcp", "udp"), "refused", "only tcp and udp can be forwarded without root"
    ),
    "services.*.ports.*.published": _published_port,
    "services.*.restart": _if_one_of(
        ("always", "unless-stopped"),
        "emulated",
        "until the machine is restarted; then `cntnr compose start` is needed",
    ),
    "services.*.user": _user,
    "services.*.userns_mode": _unless_one_of(
        ("", "host"), "reduced", "all containers share one user namespace"
    ),
    "services.*.volumes.*.type": _unless_one_of(
        ("bind", "volume", "tmpfs", "image"), "refused", "it does not exist on Linux"
    ),
    "services.*.deploy.mode": _mode,
    "networks.*.driver": _unless_one_of(
        ("", "bridge", "default"), "refused", f"any but the bridge driver {NO_ROOT}"
    ),
    "networks.*.driver_opts": _keys_beside(BRIDGE_OPTIONS, "a bridge has name, mtu, masquerade"),
    "networks.*.enable_ipv4": lambda value, _: (
        KeySupport(level="honoured") if value is True else None
    ),
    "networks.*.ipam.config": _pools,
    "networks.*.ipam.driver": _unless_one_of(
        ("", "default", "host-local"), "reduced", "addresses are given by host-local"
    ),
    "volumes.*.driver": _unless_one_of(
        ("", "local"), "refused", f"any but the local driver {NO_ROOT}"
    ),
    "volumes.*.driver_opts": _file_system,
    "configs.*.external": _if_one_of((True,), "refused", "there is no store of configs here"),
    "secrets.*.external": _if_one_of((True,), "refused", "there is no store of secrets here"),
}
