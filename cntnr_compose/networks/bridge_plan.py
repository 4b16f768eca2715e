"""Choose what a network to be created is made of: bridge, options of the driver, subnet, address range."""

import hashlib
import ipaddress
import re
import time
from collections.abc import Sequence

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.names import DEFAULT_NETWORK
from cntnr_compose.host import network
from cntnr_compose.host.namespaces.holder import MTU
from cntnr_compose.host.network import Subnet
from cntnr_compose.model.observed import ObservedNetwork
from cntnr_compose.model.project import Network
from cntnr_compose.networks import conflists, records, subnets
from cntnr_compose.networks.ip_nft import Bridge
from cntnr_compose.networks.records import ManagedNetwork
from cntnr_compose.networks.subnets import AddressRange

BRIDGE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}")
NAME_OPTION = "com.docker.network.bridge.name"
MTU_OPTION = "com.docker.network.driver.mtu"
MASQUERADE_OPTION = "com.docker.network.bridge.enable_ip_masquerade"
BRIDGE_OPTIONS = frozenset({NAME_OPTION, MTU_OPTION, MASQUERADE_OPTION})
SUPPORTED_DRIVERS = ("", "bridge", "default")
MIN_MTU = 68
UPLINK_OWNER = "of the way out (slirp4netns)"


class NetworkDriverUnknown(CntnrError):
    """A network driver that an ordinary user cannot have."""

    hint = "use the bridge driver: macvlan, ipvlan and overlay need root on the host's network"

    def __init__(self, name: str, driver: str) -> None:
        super().__init__(
            f"cannot create network {name}: driver {driver} is not available without root"
        )


class OptionInvalid(CntnrError):
    """An option of the bridge driver has a value that no bridge can have."""

    def __init__(self, name: str, option: str, value: str) -> None:
        super().__init__(f"cannot create network {name}: {option} cannot be {value!r}")
        self.hint = (
            "bridges have names of their own, of at most 15 letters, digits and .-_;"
            f" the mtu is {MIN_MTU} to {MTU}"
        )


def check_driver(network: Network) -> None:
    """Raise `NetworkDriverUnknown` where a network's driver is not available."""
    if network.driver not in SUPPORTED_DRIVERS:
        raise NetworkDriverUnknown(network.name, network.driver)


def plan_network(
    requested: Network,
    project: str,
    config_hash: str,
    labels: dict[str, str],
    others: Sequence[ManagedNetwork],
    holder_pid: int = 1,
) -> ManagedNetwork:
    """Choose bridge and addresses of a network, beside ``others``: those that exist.

    ``holder_pid`` is a process of the holder, as the caller sees it: by default from inside; 0 for none.

    Raises `OptionInvalid`, `SubnetTaken`, `SubnetInvalid`, `ConflistInvalid`, `PluginMissing`.
    """
    uplink = network.find_uplink(holder_pid)
    addresses = _choose_range(requested, others, uplink)
    bridge = _plan_bridge(requested, addresses, others)
    kept = subnets.auxiliary_addresses(requested.name, addresses.subnet, requested.pools)
    observed = ObservedNetwork(
        name=requested.name,
        key=requested.key,
        project=project,
        config_hash=config_hash,
        labels=labels,
        bridge=bridge.name,
        subnet=str(addresses.subnet),
        gateway=str(addresses.gateway),
        internal=requested.internal,
        created=time.time(),
    )
    first, last = str(addresses.first), str(addresses.last)
    return ManagedNetwork(
        found=observed, bridge=bridge, first=first, last=last, kept=kept, requested=requested
    )


def find_or_plan(name: str) -> ManagedNetwork | None:
    """Find a network of no project that was created by hand, or plan docker's default one; None: neither.

    Raises as `plan_network`.
    """
    if name != DEFAULT_NETWORK:
        return records.find_defined(name)
    return plan_network(Network(key=name, name=name), "", "", {}, records.list_all())


def _plan_bridge(
    requested: Network, addresses: AddressRange, others: Sequence[ManagedNetwork]
) -> Bridge:
    subnet = addresses.subnet
    options = requested.driver_opts
    name = options.get(NAME_OPTION) or _bridge_name(requested.name)
    taken = {other.bridge.name for other in others}
    if not BRIDGE_NAME.fullmatch(name) or name in ("lo", network.UPLINK, *taken):
        raise OptionInvalid(requested.name, "bridge.name", name)
    conflist = conflists.find_conflist(requested.name)
    mtu = options.get(MTU_OPTION) or str(conflist.mtu or MTU)
    if not mtu.isdecimal() or not MIN_MTU <= int(mtu) <= MTU:
        raise OptionInvalid(requested.name, "driver.mtu", mtu)
    resolvers = subnets.resolver_address_count(subnet)
    return Bridge(
        name=name,
        gateway=f"{addresses.gateway}/{subnet.prefixlen}",
        subnet=str(subnet),
        internal=requested.internal,
        mtu=int(mtu),
        masquerade=options.get(MASQUERADE_OPTION) != "false",
        reserved=f"{subnet[-1 - resolvers]}-{subnet[-2]}" if resolvers else "",
    )


def _bridge_name(name: str) -> str:
    return f"br-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _choose_range(
    requested: Network, others: Sequence[ManagedNetwork], uplink: Subnet | None
) -> AddressRange:
    pool = subnets.ipv4_pool(requested.pools)
    existing = {other.found.name: ipaddress.IPv4Network(other.bridge.subnet) for other in others}
    if uplink is not None:
        existing[UPLINK_OWNER] = ipaddress.IPv4Network(uplink)
    if pool is None:
        routed = map(ipaddress.IPv4Network, network.machine_subnets())
        chosen = subnets.choose_subnet(requested.name, existing.values(), routed)
        return subnets.default_range(chosen)
    addresses = subnets.parse_pool(requested.name, pool)
    for other, subnet in existing.items():
        if subnet.overlaps(addresses.subnet):
            raise subnets.SubnetTaken(requested.name, str(addresses.subnet), other)
    return addresses
