"""Networks of a project: a bridge each in the holder, rules that keep them apart, and their names.

What is written here lies in the holder's own tmpfs and dies with it, as the bridges do.
"""

import asyncio
import contextlib
import hashlib
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from cntnr_compose.adapters import cni, dnsmasq, files, holder, network
from cntnr_compose.adapters.network import Bridge
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value, field, replace, to_json
from cntnr_compose.model.observed import NetworkFound
from cntnr_compose.model.project import Network

# Private addresses that home and office networks seldom use, 4094 for each network.
POOL = ipaddress.ip_network("10.128.0.0/10")
PREFIX = 20
RESOLVERS = 14  # addresses at the end of a subnet that are kept for resolvers
Address: TypeAlias = ipaddress.IPv4Address
Range: TypeAlias = tuple[ipaddress.IPv4Network, Address, Address, Address]  # gateway, first, last
HONOURED_DRIVERS = ("", "bridge", "default")


class DriverUnknown(CntnrError):
    """A network driver that an ordinary user cannot have."""

    hint = "use the bridge driver: macvlan, ipvlan and overlay need root on the host's network"

    def __init__(self, name: str, driver: str) -> None:
        super().__init__(
            f"cannot create network {name}: driver {driver} is not available without root"
        )


class SubnetTaken(CntnrError):
    """The subnet overlaps that of another network."""

    def __init__(self, name: str, subnet: str, other: str) -> None:
        super().__init__(f"cannot create network {name}: subnet {subnet} overlaps network {other}")
        self.hint = "choose another subnet, or leave it out"


class SubnetInvalid(CntnrError):
    """A subnet, gateway or range is no such thing."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"cannot create network {name}: {why}")


class AddressRefused(CntnrError):
    """An address that a service asks for is not in its network."""

    def __init__(self, name: str, address: str, subnet: str) -> None:
        super().__init__(f"cannot give address {address} on network {name}: it is not in {subnet}")


class Made(Value, frozen=True, kw_only=True):
    """A network as it stands in the holder."""

    found: NetworkFound
    bridge: Bridge
    first: str = ""  # the range from which addresses are given
    last: str = ""
    views: dict[str, str] = field(default_factory=dict)  # resolver's name: its address here


class Resolver(Value, frozen=True, kw_only=True):
    """Which names a container is to see, and whom to ask for others."""

    networks: tuple[str, ...]
    upstream: tuple[str, ...] = ()


def _folder() -> Path:
    return paths.held() / "networks"


class Networks:
    """The networks in this holder, those of other projects too."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._turn = asyncio.Lock()

    def find(self, name: str) -> Made | None:
        """Find a network by its name on the machine."""
        return files.read_value(_folder() / f"{name}.json", Made)

    def all(self) -> list[Made]:
        """List every network of every project."""
        found = (files.read_value(path, Made) for path in sorted(_folder().glob("*.json")))
        return [one for one in found if one is not None]

    def observed(self) -> dict[str, NetworkFound]:
        """Tell what there is, by name."""
        return {one.found.name: one.found for one in self.all()}

    async def create(self, wanted: Network, config_hash: str, labels: dict[str, str]) -> None:
        """Make a network: bridge, rules, resolver.

        Raises `DriverUnknown`, `SubnetTaken`, `SubnetInvalid`, `NetworkFailed`.
        """
        if wanted.driver not in HONOURED_DRIVERS:
            raise DriverUnknown(wanted.name, wanted.driver)
        async with self._turn:
            _folder().mkdir(parents=True, exist_ok=True)
            with files.locked(_folder() / "lock"):
                made = self._chosen(wanted, config_hash, labels)
                self._write(made)
            try:
                await self._bring_up(made)
            except BaseException:
                await asyncio.shield(self._take_down(made))
                raise

    def _chosen(self, wanted: Network, config_hash: str, labels: dict[str, str]) -> Made:
        subnet, gateway, first, last = self._addresses(wanted)
        options = wanted.driver_opts
        name = options.get("com.docker.network.bridge.name", "")[:15] or _bridge_name(wanted.name)
        bridge = Bridge(
            name=name,
            gateway=f"{gateway}/{subnet.prefixlen}",
            subnet=str(subnet),
            internal=wanted.internal,
            mtu=int(options.get("com.docker.network.driver.mtu") or holder.MTU),
            masquerade=options.get("com.docker.network.bridge.enable_ip_masquerade") != "false",
            reserved=f"{subnet[-1 - _reserved(subnet)]}-{subnet[-2]}",
        )
        found = NetworkFound(
            name=wanted.name,
            key=wanted.key,
            project=self._project,
            config_hash=config_hash,
            labels=labels,
            bridge=name,
            subnet=str(subnet),
            gateway=str(gateway),
            internal=wanted.internal,
        )
        return Made(found=found, bridge=bridge, first=str(first), last=str(last))

    def _addresses(self, wanted: Network) -> Range:
        pools = [pool for pool in wanted.pools if pool.subnet and ":" not in pool.subnet]
        taken = {one.found.name: ipaddress.IPv4Network(one.bridge.subnet) for one in self.all()}
        try:
            if not pools:
                subnet = _free_subnet(wanted.name, taken.values())
                return subnet, subnet[1], subnet[2], subnet[-2 - _reserved(subnet)]
            subnet = ipaddress.IPv4Network(pools[0].subnet, strict=False)
            for other, there in taken.items():
                if there.overlaps(subnet):
                    raise SubnetTaken(wanted.name, str(subnet), other)
            gateway = ipaddress.IPv4Address(pools[0].gateway or str(subnet[1]))
            first, last = subnet[2], subnet[-2 - _reserved(subnet)]
            if pools[0].ip_range:
                part = ipaddress.IPv4Network(pools[0].ip_range, strict=False)
                first, last = max(part[0], subnet[1]), min(part[-1], last)
        except (ValueError, IndexError) as error:
            raise SubnetInvalid(wanted.name, str(error)) from error
        if gateway not in subnet or first not in subnet:
            raise SubnetInvalid(wanted.name, f"gateway and ip_range must lie in {subnet}")
        return subnet, gateway, first, last

    async def _bring_up(self, made: Made) -> None:
        name, table = made.found.name, network.table_name(self._project)
        await network.make(name, made.bridge)
        async with asyncio.TaskGroup() as both:
            both.create_task(network.rule(name, table, self._bridges()))
            both.create_task(dnsmasq.start(_own_view(made)))

    def _bridges(self) -> list[Bridge]:
        return [one.bridge for one in self.all() if one.found.project == self._project]

    async def remove(self, name: str) -> None:
        """Remove a network; one that is not there is fine."""
        async with self._turn:
            made = self.find(name)
            if made is not None:
                await self._take_down(made)

    async def _take_down(self, made: Made) -> None:
        name = made.found.name
        (_folder() / f"{name}.json").unlink(missing_ok=True)
        for view in (name, *made.views):
            dnsmasq.stop(view)
        dnsmasq.forget_network(name)
        files.remove_tree(cni.leases() / name)
        table = network.table_name(self._project)
        await network.tear_down([made.bridge.name], table, self._bridges())

    async def resolver(self, wanted: Resolver) -> str:
        """Give the address of a resolver that knows these networks' names, started where needed."""
        home = self.find(wanted.networks[0])
        assert home is not None
        if len(wanted.networks) == 1 and not wanted.upstream:
            return home.found.gateway
        name = f"view-{hashlib.sha256(to_json(wanted)).hexdigest()[:16]}"
        async with self._turn:
            home = self.find(wanted.networks[0])
            assert home is not None
            address = home.views.get(name)
            if address is None:
                address = _free_resolver(home)
                await network.add_address(home.bridge.name, address)
                self._write(replace(home, views={**home.views, name: address}))
            if not dnsmasq.is_running(name):
                closed = all(one.found.internal for one in map(self.find, wanted.networks) if one)
                view = dnsmasq.View(
                    name=name,
                    address=address,
                    networks=wanted.networks,
                    upstream=wanted.upstream,
                    closed=closed,
                )
                await dnsmasq.start(view)
            return address

    async def repair(self) -> None:
        """Start resolvers again that have died."""
        for made in self.all():
            is_ours = made.found.project == self._project
            if is_ours and not dnsmasq.is_running(made.found.name):
                await dnsmasq.start(_own_view(made))

    def attached(self, name: str) -> list[str]:
        """List the containers that have an address on a network, by id."""
        return sorted(path.name for path in dnsmasq.hosts(name).glob("*"))

    def _write(self, made: Made) -> None:
        files.write_value(_folder() / f"{made.found.name}.json", made)


def interfaces(
    chosen: Sequence[tuple[Made, str, str, str]], gateway_on: str
) -> tuple[cni.Interface, ...]:
    """Make the interfaces of a container: (network, address asked for, MAC, interface name) each."""
    made = []
    for number, (one, address, mac, name) in enumerate(chosen):
        if address and ipaddress.ip_address(address) not in ipaddress.ip_network(one.bridge.subnet):
            raise AddressRefused(one.found.name, address, one.bridge.subnet)
        made.append(
            cni.Interface(
                name=name or f"eth{number}",
                network=one.found.name,
                bridge=one.bridge.name,
                subnet=one.bridge.subnet,
                gateway=one.found.gateway,
                first=one.first,
                last=one.last,
                address=address,
                mac=mac,
                mtu=one.bridge.mtu,
                default_route=one.found.name == gateway_on,
            )
        )
    return tuple(made)


def release(identity: str, addresses: Mapping[str, str]) -> None:
    """Give a container's addresses back that its hook did not: runc was killed before it ran.

    host-local keeps one file an address, which begins with the container's id. Where the addresses
    are not known, since nobody read the plugins' answers, all files are looked at.
    """
    known = [cni.leases() / name / address for name, address in addresses.items()]
    for path in known or cni.leases().glob("*/[0-9]*"):
        with contextlib.suppress(FileNotFoundError):
            if path.read_text(errors="replace").startswith(identity):
                path.unlink()


def _own_view(made: Made) -> dnsmasq.View:
    name = made.found.name
    return dnsmasq.View(
        name=name, address=made.found.gateway, networks=(name,), closed=made.bridge.internal
    )


def _bridge_name(name: str) -> str:
    return f"br-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _reserved(subnet: ipaddress.IPv4Network) -> int:
    return RESOLVERS if subnet.num_addresses >= 64 else 2 if subnet.num_addresses >= 8 else 0


def _free_subnet(name: str, taken: Iterable[ipaddress.IPv4Network]) -> ipaddress.IPv4Network:
    used = list(taken)
    for subnet in POOL.subnets(new_prefix=PREFIX):
        if not any(subnet.overlaps(other) for other in used):
            return ipaddress.IPv4Network(subnet)
    raise SubnetInvalid(name, f"no free subnet is left in {POOL}")


def _free_resolver(made: Made) -> str:
    subnet = ipaddress.IPv4Network(made.bridge.subnet)
    used = set(made.views.values())
    for number in range(_reserved(subnet)):
        address = str(subnet[-2 - number])
        if address not in used:
            return address
    raise SubnetInvalid(
        made.found.name, "no address is left for another resolver; use a larger subnet"
    )
