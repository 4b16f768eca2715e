"""Networks of a project: a bridge each in the holder, rules that keep them apart, and their names.

What is written here lies in the holder's own tmpfs and dies with it, as the bridges do.
"""

import asyncio
import contextlib
import hashlib
import ipaddress
import re
from collections.abc import Collection
from pathlib import Path

from cntnr_compose.core import names, paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value, field, replace, to_json
from cntnr_compose.host import files, process
from cntnr_compose.host.namespaces import holder
from cntnr_compose.model.observed import ObservedNetwork
from cntnr_compose.model.project import Network
from cntnr_compose.networks import address_claims as claims
from cntnr_compose.networks import cni, conflists, dnsmasq, subnets
from cntnr_compose.networks import ip_nft as network
from cntnr_compose.networks.ip_nft import Bridge

BRIDGE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}")
SUPPORTED_DRIVERS = ("", "bridge", "default")


class DriverUnknown(CntnrError):
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
            f" the mtu is 68 to {holder.MTU}"
        )


class ManagedNetwork(Value, frozen=True, kw_only=True):
    """A network as it stands in the holder."""

    found: ObservedNetwork
    bridge: Bridge
    first: str = ""  # the range from which addresses are given
    last: str = ""
    kept: tuple[str, ...] = ()  # addresses for others than containers: aux_addresses
    leaving: bool = False  # goes as soon as nobody is attached
    views: dict[str, dnsmasq.DnsView] = field(default_factory=dict)  # that have their address here


class ResolverRequest(Value, frozen=True, kw_only=True):
    """Which names a container is to see, and whom to ask for others."""

    networks: tuple[str, ...]
    upstream: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()  # of links: alias, name


def _folder() -> Path:
    return paths.holder_tmpfs() / "networks"


def _file(name: str) -> Path:
    return _folder() / f"{names.safe_path_part(name, 'network')}.json"


class NetworkManager:
    """The networks in this holder, those of other projects too."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._change_lock = asyncio.Lock()

    def find_network(self, name: str) -> ManagedNetwork | None:
        """Find a network by its name on the machine."""
        made = files.read_value(_file(name), ManagedNetwork)
        return made if made is not None and made.found.name == name else None

    def list_networks(self) -> list[ManagedNetwork]:
        """List every network of every project."""
        found = (self.find_network(path.stem) for path in sorted(_folder().glob("*.json")))
        return [one for one in found if one is not None]

    def observe(self) -> dict[str, ObservedNetwork]:
        """Tell what there is, by name."""
        return {one.found.name: one.found for one in self.list_networks()}

    async def create_network(
        self, wanted: Network, config_hash: str, labels: dict[str, str]
    ) -> None:
        """Make a network: bridge, rules, resolver.

        Raises `NameInvalid`, `DriverUnknown`, `OptionInvalid`, `SubnetTaken`, `SubnetInvalid`,
        `NetworkFailed`, `ConflistInvalid`, `PluginMissing`.
        """
        names.check_name("network", wanted.name)
        if wanted.driver not in SUPPORTED_DRIVERS:
            raise DriverUnknown(wanted.name, wanted.driver)
        async with self._change_lock:
            _folder().mkdir(parents=True, exist_ok=True)
            with files.file_lock(claims.lock_file()):
                made = self._plan_network(wanted, config_hash, labels)
                self._write(made)
            try:
                if (
                    made.bridge.name in network.interface_names()
                ):  # left by one that could not be removed
                    await network.remove_bridges([made.bridge.name], name=wanted.name)
                await self._bring_up(made)
            except BaseException:
                await process.clean_up(self._remove_to_the_end(made))
                raise

    def _plan_network(
        self, wanted: Network, config_hash: str, labels: dict[str, str]
    ) -> ManagedNetwork:
        subnet, gateway, first, last = self._choose_range(wanted)
        options = wanted.driver_opts
        name = options.get("com.docker.network.bridge.name") or _bridge_name(wanted.name)
        others = {one.bridge.name for one in self.list_networks()}
        if not BRIDGE_NAME.fullmatch(name) or name in ("lo", network.UPLINK, *others):
            raise OptionInvalid(wanted.name, "bridge.name", name)
        listed = conflists.find_conflist(wanted.name).mtu
        mtu = options.get("com.docker.network.driver.mtu") or str(listed or holder.MTU)
        if not mtu.isdecimal() or not 68 <= int(mtu) <= holder.MTU:
            raise OptionInvalid(wanted.name, "driver.mtu", mtu)
        kept = subnets.resolver_address_count(subnet)
        bridge = Bridge(
            name=name,
            gateway=f"{gateway}/{subnet.prefixlen}",
            subnet=str(subnet),
            internal=wanted.internal,
            mtu=int(mtu),
            masquerade=options.get("com.docker.network.bridge.enable_ip_masquerade") != "false",
            reserved=f"{subnet[-1 - kept]}-{subnet[-2]}" if kept else "",
        )
        found = ObservedNetwork(
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
        aux = subnets.auxiliary_addresses(wanted.name, subnet, wanted.pools)
        return ManagedNetwork(
            found=found, bridge=bridge, first=str(first), last=str(last), kept=aux
        )

    def _choose_range(self, wanted: Network) -> subnets.AddressRange:
        pool = subnets.ipv4_pool(wanted.pools)
        taken = {
            one.found.name: ipaddress.IPv4Network(one.bridge.subnet) for one in self.list_networks()
        }
        if pool is None:
            subnet = subnets.choose_subnet(
                wanted.name, [*taken.values(), *network.routed_subnets()]
            )
            return subnet, subnet[1], subnet[2], subnet[-2 - subnets.resolver_address_count(subnet)]
        chosen = subnets.parse_pool(wanted.name, pool)
        for other, there in taken.items():
            if there.overlaps(chosen[0]):
                raise subnets.SubnetTaken(wanted.name, str(chosen[0]), other)
        return chosen

    async def _bring_up(self, made: ManagedNetwork) -> None:
        name, table = made.found.name, network.table_name(self._project)
        await network.create_bridge(name, made.bridge)
        async with asyncio.TaskGroup() as both:
            both.create_task(network.apply_nft_rules(name, table, self._bridges(self._project)))
            both.create_task(dnsmasq.start(_own_view(made)))

    def _networks_of(self, project: str) -> list[ManagedNetwork]:
        return [one for one in self.list_networks() if one.found.project == project]

    def _bridges(self, project: str) -> list[Bridge]:
        return [one.bridge for one in self._networks_of(project)]

    async def remove_network(self, name: str) -> bool:
        """Remove a network; one that is not there is fine.

        Where others' containers are attached it stays until they are not (`remove_left`): False.
        """
        async with self._change_lock:
            made = self.find_network(name)
            if made is None:
                return True
            if self.attached_containers(name):
                self._write(replace(made, leaving=True))
                return False
            await self._remove_to_the_end(made)
            return True

    async def remove_leaving(self) -> None:
        """Remove networks that were to go and are free now; for a project without containers."""
        async with self._change_lock:
            for made in self._networks_of(self._project):
                if made.leaving and not self.attached_containers(made.found.name):
                    await self._remove_to_the_end(made)

    async def _remove_to_the_end(self, made: ManagedNetwork) -> None:
        # To its end: without its bridge a network that is written down would be of no use.
        await process.run_shielded(self._remove(made))

    async def _remove(self, made: ManagedNetwork) -> None:
        name = made.found.name
        self._write(replace(made, leaving=True))
        dnsmasq.stop(name)
        for view in made.views:
            dnsmasq.stop(view)
        self._stop_views_of(name)
        dnsmasq.remove_network(name)
        files.remove_tree(cni.network_leases_folder(name))
        claims.remove_network_claims(name)
        table = network.table_name(self._project)
        others = [one for one in self._bridges(self._project) if one != made.bridge]
        await network.remove_bridges([made.bridge.name], table, others, name=name)
        # Last, so that who fails or is killed here leaves a network that the next one removes.
        _file(name).unlink(missing_ok=True)

    def _stop_views_of(self, name: str) -> None:
        """End resolvers on other networks that know this one's names: they follow a folder that goes."""
        with files.file_lock(claims.lock_file()):
            for home in self.list_networks():
                gone = [view for view in home.views.values() if name in view.networks]
                for view in gone:
                    dnsmasq.stop(view.name)
                    (cni.network_leases_folder(home.found.name) / view.address).unlink(
                        missing_ok=True
                    )
                if gone:
                    kept = {key: view for key, view in home.views.items() if view not in gone}
                    self._write(replace(home, views=kept))

    async def ensure_resolver(self, wanted: ResolverRequest, taken: Collection[str] = ()) -> str:
        """Give the address of a resolver that knows these networks' names, started where needed.

        Raises `SubnetInvalid` where no address but those ``taken`` is left for it.
        """
        home = self.find_network(wanted.networks[0])
        assert home is not None
        if len(wanted.networks) == 1 and not (wanted.upstream or wanted.aliases):
            return home.found.gateway
        name = f"view-{hashlib.sha256(to_json(wanted)).hexdigest()[:16]}"
        async with self._change_lock:
            view = self._view(name, wanted, taken)
            if not dnsmasq.is_running(name):
                await self._allow_resolver(home, view.address)
                await network.add_address(home.bridge.name, view.address)
                await dnsmasq.start(view)
        return view.address

    def _view(self, name: str, wanted: ResolverRequest, taken: Collection[str]) -> dnsmasq.DnsView:
        with files.file_lock(claims.lock_file()):
            home = self.find_network(wanted.networks[0])
            assert home is not None
            if name in home.views:
                return home.views[name]
            view = dnsmasq.DnsView(
                name=name,
                address=_free_resolver(home, taken),
                networks=wanted.networks,
                upstream=wanted.upstream,
                aliases=wanted.aliases,
                closed=all(
                    one.found.internal for one in map(self.find_network, wanted.networks) if one
                ),
            )
            self._write(replace(home, views={**home.views, name: view}))
            return view

    async def _allow_resolver(self, home: ManagedNetwork, address: str) -> None:
        """Let containers ask an address that is not among those kept for resolvers."""
        subnet = ipaddress.IPv4Network(home.bridge.subnet)
        if subnets.is_resolver_address(subnet, address):
            return
        with files.file_lock(claims.lock_file()):
            home = self.find_network(home.found.name) or home
            known = (home.bridge.reserved, address) if home.bridge.reserved else (address,)
            if address not in home.bridge.reserved.split(", "):
                self._write(replace(home, bridge=replace(home.bridge, reserved=", ".join(known))))
        owner = home.found.project
        await network.apply_nft_rules(
            home.found.name, network.table_name(owner), self._bridges(owner)
        )

    async def repair(self, wanted: Collection[str] = (), *, rules: bool = True) -> None:
        """Bring what stands in line with what is written: bridges, addresses, rules, resolvers.

        It is done for this project's networks, and for others' that are ``wanted``; those that only
        wait to be removed are left alone, unless they are wanted again. What fails does not keep the
        rest. Raises the first of `NetworkFailed`, `CommandFailed`.
        """
        async with self._change_lock:
            errors: list[CntnrError] = []
            owners: dict[str, str] = {}
            for made in self.list_networks():
                name, owner = made.found.name, made.found.project
                if owner == self._project and name in wanted and made.leaving:
                    made = replace(made, leaving=False)  # noqa: PLW2901
                    self._write(made)
                if owner != self._project and name not in wanted:
                    continue
                if made.leaving and not self.attached_containers(name):
                    continue
                owners.setdefault(owner, name)
                try:
                    await self._repair_network(made)
                except CntnrError as error:
                    errors.append(error)
            for owner, name in owners.items() if rules else ():
                try:
                    await network.apply_nft_rules(
                        name, network.table_name(owner), self._bridges(owner)
                    )
                except CntnrError as error:
                    errors.append(error)
            if errors:
                raise errors[0]

    async def _repair_network(self, made: ManagedNetwork) -> None:
        name, views = made.found.name, made.views.values()
        further = [view.address for view in views]
        if not network.is_bridge_complete(made.bridge, further):
            await network.repair_bridge(name, made.bridge, further, self._bridge_ports(made))
        for view in (_own_view(made), *views):
            if not dnsmasq.is_running(view.name):
                await dnsmasq.start(view)

    def _bridge_ports(self, made: ManagedNetwork) -> list[str]:
        """Name the interfaces of containers that belong to a bridge, as their plugins told them."""
        return [
            link.name
            for identity in self.attached_containers(made.found.name)
            for answer in cni.read_results(paths.bundle(identity)).values()
            if any(one.name == made.bridge.name for one in answer.interfaces)
            for link in answer.interfaces
            if not link.sandbox and link.name != made.bridge.name
        ]

    def attached_containers(self, name: str) -> list[str]:
        """List the containers that have an address on a network, by id."""
        return sorted(path.name for path in dnsmasq.hosts_folder(name).glob("*"))

    def _write(self, made: ManagedNetwork) -> None:
        files.write_value(_file(made.found.name), made)


def _own_view(made: ManagedNetwork) -> dnsmasq.DnsView:
    name = made.found.name
    return dnsmasq.DnsView(
        name=name, address=made.found.gateway, networks=(name,), closed=made.bridge.internal
    )


def _bridge_name(name: str) -> str:
    return f"br-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _free_resolver(made: ManagedNetwork, asked_for: Collection[str]) -> str:
    """Take an address for a resolver, and a lease, so that no container gets it."""
    subnet = ipaddress.IPv4Network(made.bridge.subnet)
    place = cni.network_leases_folder(made.found.name)
    place.mkdir(parents=True, exist_ok=True)
    taken = {made.found.gateway, *made.kept, *asked_for, *claims.list_claims(made.found.name)}
    for number in range(2, subnet.num_addresses):  # those that are kept come first
        address = str(subnet[-number])
        if address in taken:
            continue
        with contextlib.suppress(FileExistsError), (place / address).open("x") as lease:
            lease.write("resolver")
            return address
    raise subnets.SubnetInvalid(
        made.found.name, "no address is left for another resolver; use a larger subnet"
    )
