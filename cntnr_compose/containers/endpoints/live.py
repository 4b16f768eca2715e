"""Add interfaces to a container that lives and remove them; update all that follows from them."""

from cntnr_compose.containers import setup
from cntnr_compose.containers.bundle import bundle, etc_files
from cntnr_compose.containers.run_cycle import RunCycle
from cntnr_compose.containers.state.lifecycle import LifecycleState
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError, CommandFailed
from cntnr_compose.core.events import Emit
from cntnr_compose.host import process
from cntnr_compose.model.observed import Record
from cntnr_compose.networks import address_claims, cni, conflists, interfaces, ip_nft
from cntnr_compose.networks.dns import dnsmasq
from cntnr_compose.networks.dns.embedded_dns import DnsRedirect

STARTED = frozenset({LifecycleState.RUNNING, LifecycleState.PAUSED})
LIVE = STARTED | {LifecycleState.PREPARED}  # its first process has a network


class AttachFailed(CntnrError):
    """A CNI plugin could not add an interface."""

    def __init__(self, container: str, network: str, reason: str) -> None:
        super().__init__(f"cannot connect container {container} to network {network}: {reason}")


class DetachFailed(CntnrError):
    """The CNI plugins have left an interface that they were to remove."""

    hint = "`cntnr network disconnect --force` removes it without them"

    def __init__(self, container: str, network: str, interface: str) -> None:
        super().__init__(
            f"cannot disconnect container {container} from network {network}:"
            f" its plugins have left the interface {interface}"
        )


async def attach(container: RunCycle, record: Record, network: str) -> None:
    """Add the interface that ``record`` has on a network, and the container had not; all of it or nothing.

    Raises `AttachFailed`, `NetworkMissing`, `AddressRefused`, `AddressTaken`, `NoAddressLeft`,
    `InterfaceRefused`.
    """
    folder = paths.bundle(record.id)
    await _remove_unrecorded(container, network)
    key = next(key for key, name in record.networks.items() if name == network)
    request = bundle.interface_request(container.context, record, key)
    taken = cni.read_interfaces(folder).values()
    [planned] = interfaces.plan_interfaces([request], "", list(taken))
    requested = container.context.requested_addresses()
    interface = interfaces.assign_address(record, request.network, planned, requested)
    try:
        cni.write_configs(folder, [(interface, conflists.find_conflist(network))])
        await cni.run_plugins("add", record.id, container.status.pid, interface.name)
    except BaseException as error:
        reason = cni.read_failure(folder)
        await process.clean_up(_undo_attach(container, network, interface))
        if isinstance(error, CommandFailed):
            reason = reason or error.stderr.strip() or str(error)
            raise AttachFailed(record.name, network, reason) from None
        raise
    setup.note_network_use("connect", network, record)


async def _remove_unrecorded(container: RunCycle, network: str) -> None:
    """Remove the interface on a network that a supervisor added which was killed before it noted that."""
    interface = cni.read_interfaces(paths.bundle(container.record.id)).get(network)
    if interface:
        await _remove_interface(container, interface)
        _forget_interface(container, network, interface, "")


async def _undo_attach(container: RunCycle, network: str, interface: cni.Interface) -> None:
    await _remove_interface(container, interface.name)
    _forget_interface(container, network, interface.name, interface.address)
    address_claims.release_address(network, container.record.id)


async def detach(container: RunCycle, network: str, *, force: bool) -> None:
    """Remove the interface that a container has on a network, and its names there.

    With ``force`` also where the plugins leave it. Raises `DetachFailed`.
    """
    record = container.record
    interface = cni.read_interfaces(paths.bundle(record.id)).get(network, "")
    if interface:
        is_gone = await _remove_interface(container, interface)
        if not (is_gone or force):
            raise DetachFailed(record.name, network, interface)
        if not is_gone:
            await ip_nft.remove_interface(container.status.pid, interface)
    dnsmasq.remove_names(network, record.id)
    address = container.status.addresses.get(network, "")
    _forget_interface(container, network, interface, address)
    setup.note_network_use("disconnect", network, record)


async def _remove_interface(container: RunCycle, interface: str) -> bool:
    """Have the plugins remove an interface; return whether it is gone."""
    pid = container.status.pid
    await cni.run_plugins("del", container.record.id, pid, interface)
    return interface not in ip_nft.interface_names(pid)


def _forget_interface(container: RunCycle, network: str, interface: str, address: str) -> None:
    """Remove the files of an interface and the lease of its address."""
    identity = container.record.id
    if interface:
        cni.remove_interface_files(paths.bundle(identity), interface)
    if address:
        interfaces.release_leases(identity, {network: address})


async def refresh(container: RunCycle, emit: Emit) -> None:
    """Bring addresses, names, resolver, default route and published ports up to date with the interfaces."""
    if container.state not in LIVE:  # it has ended meanwhile, and all of this is gone
        return
    record = container.record
    addresses = cni.read_addresses(paths.bundle(record.id))
    container.write(addresses=addresses)
    etc_files.write_hosts(record, addresses)
    setup.register_names(record, addresses)
    await _set_route(container)
    await _redirect_names(container, emit)
    if container.state in STARTED:
        await container.republish_ports()


async def _set_route(container: RunCycle) -> None:
    """Lead what leaves the container by the network that is its first choice now."""
    context, record = container.context, container.record
    gateway = bundle.choose_gateway(context, record)
    network = context.networks.find_network(gateway) if gateway else None
    interface = cni.read_interfaces(paths.bundle(record.id)).get(gateway)
    if network is not None and interface:
        await ip_nft.set_default_route(container.status.pid, network.found.gateway, interface)


async def _redirect_names(container: RunCycle, emit: Emit) -> None:
    """Have names resolved by the server that knows those of all networks of the container, and no others."""
    record = container.record
    resolver = await etc_files.ensure_resolver(container.context, record)
    etc_files.write_resolv_conf(record, resolver)
    if not resolver:
        return
    first = record.networks[etc_files.sort_networks(record.definition)[0][0]]
    redirect = DnsRedirect(
        resolver=resolver,
        interface=cni.read_interfaces(paths.bundle(record.id))[first],
        address=container.status.addresses[first],
    )
    await setup.redirect_dns_queries(record, container.status.pid, redirect, emit)
