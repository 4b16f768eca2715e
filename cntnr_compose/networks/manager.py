"""Create, repair and remove networks: bridge, firewall rules, DNS servers.

All of it is in the holder and dies with it, as the records do. A network that was created by hand belongs to
no project: any of the supervisors brings it up and repairs it, and it stays until it is removed by hand.
"""

import asyncio
import contextlib
import hashlib
import ipaddress
from collections.abc import Callable, Collection

from cntnr_compose.core import names
from cntnr_compose.core.values import Value, replace, to_json
from cntnr_compose.host import files, process
from cntnr_compose.model.observed import ObservedNetwork
from cntnr_compose.model.project import Network
from cntnr_compose.networks import (
    address_claims,
    bridge_plan,
    cni,
    ip_nft,
    records,
    repairs,
    subnets,
)
from cntnr_compose.networks.dns import dnsmasq
from cntnr_compose.networks.dns.dnsmasq import DnsView
from cntnr_compose.networks.records import ManagedNetwork


class ResolverRequest(Value, frozen=True, kw_only=True):
    """Which names a container resolves, and the servers for all others."""

    networks: tuple[str, ...]
    upstream: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()  # of links: alias, name


def _do_nothing() -> None:
    """Have nobody wait for the bridge."""


class NetworkManager:
    """The networks of one project, in a holder that has those of other projects too."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._change_lock = asyncio.Lock()

    def find_network(self, name: str) -> ManagedNetwork | None:
        """Find a network of any project by its name on the host."""
        return records.find_network(name)

    def list_networks(self) -> list[ManagedNetwork]:
        """List the networks that have a bridge."""
        return records.list_networks()

    def observe(self) -> dict[str, ObservedNetwork]:
        """Return all networks by name."""
        return {network.found.name: network.found for network in records.list_all()}

    async def create_network(
        self,
        requested: Network,
        config_hash: str,
        labels: dict[str, str],
        on_bridge: Callable[[], None] = _do_nothing,
    ) -> None:
        """Create a network: record, bridge, rules, DNS server.

        Once the bridge is there, containers can be set up: then ``on_bridge`` is called. They are not to be
        started before `settle`.
        Raises `NameInvalid`, `NetworkDriverUnknown`, `OptionInvalid`, `SubnetTaken`, `SubnetInvalid`,
        `NetworkFailed`, `ConflistInvalid`, `PluginMissing`.
        """
        names.check_name("network", requested.name)
        bridge_plan.check_driver(requested)
        async with self._change_lock:
            records.records_folder().mkdir(parents=True, exist_ok=True)
            with files.file_lock(address_claims.lock_file()):
                network = bridge_plan.plan_network(
                    requested, self._project, config_hash, labels, records.list_all()
                )
                records.write_network(network)
            await self._bring_up(network, on_bridge)
            records.note_event("create", network)

    async def settle(self) -> None:
        """Wait until the networks that are being created have their rules and DNS servers."""
        async with self._change_lock:
            pass

    async def bring_up_defined(self, requested: Collection[str]) -> None:
        """Bring those of the ``requested`` networks up that belong to no project, where they are not yet.

        Raises `NetworkFailed`, `CommandFailed`.
        """
        for name in requested:
            defined = None if records.find_network(name) else bridge_plan.find_or_plan(name)
            if defined is None:
                continue
            async with self._change_lock, repairs.lock_of_shared(defined):
                if records.find_network(name):  # another supervisor was faster
                    continue
                with files.file_lock(address_claims.lock_file()):
                    network = bridge_plan.find_or_plan(name)
                    if network is None:
                        continue
                    records.write_network(network)
                await self._bring_up(network)

    async def _bring_up(
        self, network: ManagedNetwork, on_bridge: Callable[[], None] = _do_nothing
    ) -> None:
        """Create bridge, rules and DNS server of a network that is recorded; remove all of it on failure."""
        name = network.found.name
        try:
            # There may be a bridge of an earlier network that could not be removed.
            if network.bridge.name in ip_nft.interface_names():
                await ip_nft.remove_bridges([network.bridge.name], name=name)
            async with (
                asyncio.TaskGroup() as tasks
            ):  # the rules name the bridge, which may come later
                tasks.create_task(repairs.apply_rules(network))
                await ip_nft.create_bridge(name, network.bridge)
                on_bridge()
                tasks.create_task(dnsmasq.start(repairs.network_view(network)))
        except BaseException as error:
            await process.clean_up(self._remove_to_the_end(network))
            if isinstance(error, ExceptionGroup):
                raise error.exceptions[0] from error
            raise

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
            async with repairs.lock_of_shared(network):
                await self._remove_to_the_end(network)
            if network.found.project:
                records.note_event("destroy", network)
            return True

    async def remove_leaving(self) -> None:
        """Remove networks that had to stay and are unused now; for a project without containers."""
        async with self._change_lock:
            for network in records.networks_of(self._project):
                if network.leaving and not records.attached_containers(network.found.name):
                    await self._remove_to_the_end(network)
                    records.note_event("destroy", network)

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
        table = ip_nft.table_name(network.found.project, name)
        remaining = [other for other in records.bridges_beside(network) if other != network.bridge]
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

        For this project's networks, and for the ``requested`` ones of others or of none. A network that only
        waits for its removal is left alone, unless it is requested again. Go on after a failure; raises the
        first of `NetworkFailed`, `CommandFailed`.
        """
        async with self._change_lock:
            networks = self._networks_to_repair(requested)
            async with repairs.lock_of_shared(*networks):
                errors = await repairs.repair_networks(networks, rules=rules)
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
    await repairs.apply_rules(home)


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
