"""Create, repair and remove the networks of a project: bridge, firewall rules, DNS servers.

All of it is in the holder and dies with it, as the records do.
"""

import asyncio
import contextlib
import hashlib
import ipaddress
from collections.abc import Collection

from cntnr_compose.core import names, paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value, replace, to_json
from cntnr_compose.host import files, process
from cntnr_compose.model.observed import ObservedNetwork
from cntnr_compose.model.project import Network
from cntnr_compose.networks import address_claims, bridge_plan, cni, ip_nft, records, subnets
from cntnr_compose.networks.dns import dnsmasq
from cntnr_compose.networks.dns.dnsmasq import DnsView
from cntnr_compose.networks.records import ManagedNetwork


class ResolverRequest(Value, frozen=True, kw_only=True):
    """Which names a container resolves, and the servers for all others."""

    networks: tuple[str, ...]
    upstream: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()  # of links: alias, name


class NetworkManager:
    """The networks of one project, in a holder that has those of other projects too."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._change_lock = asyncio.Lock()

    def find_network(self, name: str) -> ManagedNetwork | None:
        """Find a network of any project by its name on the host."""
        return records.find_network(name)

    def list_networks(self) -> list[ManagedNetwork]:
        """List the networks of all projects."""
        return records.list_networks()

    def observe(self) -> dict[str, ObservedNetwork]:
        """Return the networks of all projects by name."""
        return {network.found.name: network.found for network in records.list_networks()}

    async def create_network(
        self, requested: Network, config_hash: str, labels: dict[str, str]
    ) -> None:
        """Create a network: record, bridge, rules, DNS server.

        Raises `NameInvalid`, `NetworkDriverUnknown`, `OptionInvalid`, `SubnetTaken`, `SubnetInvalid`,
        `NetworkFailed`, `ConflistInvalid`, `PluginMissing`.
        """
        names.check_name("network", requested.name)
        bridge_plan.check_driver(requested)
        async with self._change_lock:
            records.records_folder().mkdir(parents=True, exist_ok=True)
            with files.file_lock(address_claims.lock_file()):
                network = bridge_plan.plan_network(requested, self._project, config_hash, labels)
                records.write_network(network)
            try:
                # There may be a bridge of an earlier network that could not be removed.
                if network.bridge.name in ip_nft.interface_names():
                    await ip_nft.remove_bridges([network.bridge.name], name=requested.name)
                await self._bring_up(network)
            except BaseException:
                await process.clean_up(self._remove_to_the_end(network))
                raise

    async def _bring_up(self, network: ManagedNetwork) -> None:
        name = network.found.name
        await ip_nft.create_bridge(name, network.bridge)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_apply_rules(name, self._project))
            tasks.create_task(dnsmasq.start(_network_view(network)))

    async def remove_network(self, name: str) -> bool:
        """Remove a network; absent is fine. Return False where it has to stay for now.

        It stays while containers of other projects are attached (`remove_leaving`).
        """
        async with self._change_lock:
            network = records.find_network(name)
            if network is None:
                return True
            if records.attached_containers(name):
                records.write_network(replace(network, leaving=True))
                return False
            await self._remove_to_the_end(network)
            return True

    async def remove_leaving(self) -> None:
        """Remove networks that had to stay and are unused now; for a project without containers."""
        async with self._change_lock:
            for network in records.networks_of(self._project):
                if network.leaving and not records.attached_containers(network.found.name):
                    await self._remove_to_the_end(network)

    async def _remove_to_the_end(self, network: ManagedNetwork) -> None:
        # Shielded: a recorded network without its bridge would be of no use.
        await process.run_shielded(self._remove(network))

    async def _remove(self, network: ManagedNetwork) -> None:
        name = network.found.name
        records.write_network(replace(network, leaving=True))
        dnsmasq.stop(name)
        for view in network.views:
            dnsmasq.stop(view)
        _stop_views_of(name)
        dnsmasq.remove_network(name)
        files.remove_tree(cni.network_leases_folder(name))
        address_claims.remove_network_claims(name)
        table = ip_nft.table_name(self._project)
        remaining = [
            other for other in records.bridges_of(self._project) if other != network.bridge
        ]
        await ip_nft.remove_bridges([network.bridge.name], table, remaining, name=name)
        # Last, so that a network that could be removed only in part is removed by the next attempt.
        records.remove_record(name)

    async def ensure_resolver(self, request: ResolverRequest, taken: Collection[str] = ()) -> str:
        """Return the address of a DNS server for a request; start one where there is none.

        Raises `SubnetInvalid` where no address but those ``taken`` is left for it.
        """
        home = records.find_network(request.networks[0])
        assert home is not None
        if len(request.networks) == 1 and not (request.upstream or request.aliases):
            return home.found.gateway
        name = f"view-{hashlib.sha256(to_json(request)).hexdigest()[:16]}"
        async with self._change_lock:
            view = _ensure_view(name, request, taken)
            if not dnsmasq.is_running(name):
                await _admit_resolver(home, view.address)
                await ip_nft.add_address(home.bridge.name, view.address)
                await dnsmasq.start(view)
        return view.address

    async def repair(self, requested: Collection[str] = (), *, rules: bool = True) -> None:
        """Create again what is missing of networks: bridges, addresses, rules, DNS servers.

        For this project's networks, and for the ``requested`` ones of others. A network that only waits
        for its removal is left alone, unless it is requested again. Go on after a failure; raises the
        first of `NetworkFailed`, `CommandFailed`.
        """
        async with self._change_lock:
            errors: list[CntnrError] = []
            owners: dict[str, str] = {}
            for network in self._networks_to_repair(requested):
                owners.setdefault(network.found.project, network.found.name)
                try:
                    await _repair_network(network)
                except CntnrError as error:
                    errors.append(error)
            for owner, name in owners.items() if rules else ():
                try:
                    await _apply_rules(name, owner)
                except CntnrError as error:
                    errors.append(error)
            if errors:
                raise errors[0]

    def _networks_to_repair(self, requested: Collection[str]) -> list[ManagedNetwork]:
        networks = []
        for recorded in records.list_networks():
            network, name = recorded, recorded.found.name
            is_ours = network.found.project == self._project
            if not is_ours and name not in requested:
                continue
            if is_ours and name in requested and network.leaving:
                network = replace(network, leaving=False)
                records.write_network(network)
            if not network.leaving or records.attached_containers(name):
                networks.append(network)
        return networks


async def _apply_rules(name: str, project: str) -> None:
    table = ip_nft.table_name(project)
    await ip_nft.apply_nft_rules(name, table, records.bridges_of(project))


async def _repair_network(network: ManagedNetwork) -> None:
    name, views = network.found.name, network.views.values()
    extra_addresses = [view.address for view in views]
    if not ip_nft.is_bridge_complete(network.bridge, extra_addresses):
        ports = _bridge_ports(network)
        await ip_nft.repair_bridge(name, network.bridge, extra_addresses, ports)
    for view in (_network_view(network), *views):
        if not dnsmasq.is_running(view.name):
            await dnsmasq.start(view)


def _bridge_ports(network: ManagedNetwork) -> list[str]:
    """List the host ends of containers' interfaces on a bridge, from the results of the CNI plugins."""
    bridge = network.bridge.name
    return [
        interface.name
        for identity in records.attached_containers(network.found.name)
        for result in cni.read_results(paths.bundle(identity)).values()
        if any(interface.name == bridge for interface in result.interfaces)
        for interface in result.interfaces
        if not interface.sandbox and interface.name != bridge
    ]


def _network_view(network: ManagedNetwork) -> DnsView:
    """Return the view of one network's names, which listens on its gateway."""
    name = network.found.name
    return DnsView(
        name=name,
        address=network.found.gateway,
        networks=(name,),
        closed=network.bridge.internal,
    )


def _stop_views_of(name: str) -> None:
    """Stop the DNS servers on other networks that know a network's names: they watch a folder that goes."""
    with files.file_lock(address_claims.lock_file()):
        for home in records.list_networks():
            stale = [view for view in home.views.values() if name in view.networks]
            for view in stale:
                dnsmasq.stop(view.name)
                lease = cni.network_leases_folder(home.found.name) / view.address
                lease.unlink(missing_ok=True)
            if stale:
                views = {key: view for key, view in home.views.items() if view not in stale}
                records.write_network(replace(home, views=views))


def _ensure_view(name: str, request: ResolverRequest, taken: Collection[str]) -> DnsView:
    """Return the recorded view of a name, or record one."""
    with files.file_lock(address_claims.lock_file()):
        networks = [records.find_network(network) for network in request.networks]
        home = networks[0]
        assert home is not None
        if name in home.views:
            return home.views[name]
        view = DnsView(
            name=name,
            address=_lease_resolver_address(home, taken),
            networks=request.networks,
            upstream=request.upstream,
            aliases=request.aliases,
            closed=all(network.found.internal for network in networks if network),
        )
        records.write_network(replace(home, views={**home.views, name: view}))
        return view


async def _admit_resolver(home: ManagedNetwork, address: str) -> None:
    """Let containers reach a DNS server whose address is not among those kept for such."""
    if subnets.is_resolver_address(ipaddress.IPv4Network(home.bridge.subnet), address):
        return
    with files.file_lock(address_claims.lock_file()):
        home = records.find_network(home.found.name) or home
        admitted = home.bridge.reserved.split(", ") if home.bridge.reserved else []
        if address not in admitted:
            bridge = replace(home.bridge, reserved=", ".join([*admitted, address]))
            records.write_network(replace(home, bridge=bridge))
    await _apply_rules(home.found.name, home.found.project)


def _lease_resolver_address(network: ManagedNetwork, requested: Collection[str]) -> str:
    """Choose an address for a DNS server, and lease it, so that no container gets it."""
    name, subnet = network.found.name, ipaddress.IPv4Network(network.bridge.subnet)
    leases = cni.network_leases_folder(name)
    leases.mkdir(parents=True, exist_ok=True)
    taken = {
        network.found.gateway, *network.kept, *requested, *address_claims.list_claims(name)
    }  # fmt: skip
    for number in range(2, subnet.num_addresses):  # from the end, where some are kept for this
        address = str(subnet[-number])
        if address in taken:
            continue
        with contextlib.suppress(FileExistsError), (leases / address).open("x") as lease:
            lease.write("resolver")
            return address
    raise subnets.SubnetInvalid(
        name, "no address is left for another resolver; use a larger subnet"
    )
