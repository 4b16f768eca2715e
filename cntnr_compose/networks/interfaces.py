"""Interfaces and addresses of a container on its networks: plan, assign, release."""

import contextlib
import ipaddress
import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import replace
from cntnr_compose.host import files
from cntnr_compose.model.observed import Record
from cntnr_compose.networks import address_claims, cni
from cntnr_compose.networks.address_claims import AddressClaim
from cntnr_compose.networks.cni import Interface
from cntnr_compose.networks.records import ManagedNetwork
from cntnr_compose.networks.subnets import is_between, lowest_free, mac_address

NAME = re.compile(r"[^/\s:]{1,15}")  # IFNAMSIZ; the kernel checks this too (dev_valid_name)


class AddressRefused(CntnrError):
    """An address that a service asks for is not in its network."""

    def __init__(self, name: str, address: str, subnet: str) -> None:
        super().__init__(f"cannot give address {address} on network {name}: it is not in {subnet}")


class AddressTaken(CntnrError):
    """An address that a service asks for belongs to another container."""

    hint = "choose another ipv4_address, or remove who has it"

    def __init__(self, container: str, address: str, network: str, owner: str) -> None:
        super().__init__(
            f"cannot give {container} address {address} on network {network}: {owner} has it"
        )


class NoAddressLeft(CntnrError):
    """Every address of a network is taken."""

    hint = "remove containers that are not needed, or use a larger subnet"

    def __init__(self, container: str, network: str, first: str, last: str) -> None:
        super().__init__(
            f"cannot give {container} an address on network {network}: none is left"
            f" from {first} to {last}"
        )


class InterfaceRefused(CntnrError):
    """An interface cannot have the name that a service wants for it."""

    def __init__(self, name: str, network: str, why: str) -> None:
        super().__init__(f'cannot name the interface on network {network} "{name}": {why}')


class InterfaceRequest(NamedTuple):
    """What a service asks for on one network; empty where it leaves the choice."""

    network: ManagedNetwork
    address: str
    mac: str
    name: str


def plan_interfaces(
    requests: Sequence[InterfaceRequest], gateway_network: str, taken: Collection[str] = ()
) -> tuple[Interface, ...]:
    """Plan the interfaces of a container; the default route is by ``gateway_network``.

    It has those ``taken`` already. Raises `AddressRefused`, `InterfaceRefused`.
    """
    names = _choose_names(requests, taken)
    interfaces = []
    for name, (network, address, mac, _) in zip(names, requests, strict=True):
        check_address(network, address)
        interface = Interface(
            name=name,
            network=network.found.name,
            bridge=network.bridge.name,
            subnet=network.bridge.subnet,
            gateway=network.found.gateway,
            address=address,
            mac=mac,
            mtu=network.bridge.mtu,
            default_route=network.found.name == gateway_network,
        )
        interfaces.append(interface)
    return tuple(interfaces)


def assign_address(
    record: Record,
    network: ManagedNetwork,
    interface: Interface,
    requested_elsewhere: Collection[str],
) -> Interface:
    """Choose and claim an interface's address: the requested, the previous, or the lowest free one.

    Addresses ``requested_elsewhere`` are kept for the services that ask for them.
    Raises `AddressTaken`, `NoAddressLeft`.
    """
    name, identity = network.found.name, record.id
    with files.file_lock(address_claims.lock_file()):
        claims = address_claims.list_claims(name)
        previous = {address for address, owner in claims.items() if owner == identity}
        others = {address: owner for address, owner in claims.items() if owner != identity}
        if interface.address:
            address = interface.address
            _check_available(record, network, address, others)
        else:
            address = _choose_address(record, network, previous, others, requested_elsewhere)
        for former in previous - {address}:
            address_claims.remove_claim(name, former, identity)
        if address in others:
            address_claims.remove_claim(name, address, others[address])
        claim = AddressClaim(project=record.project, name=record.name)
        address_claims.write_claim(name, address, identity, claim)
    # The hook of an earlier start may have been killed before it released the lease.
    release_leases(identity, {name: address})
    return replace(interface, address=address, mac=interface.mac or mac_address(address))


def _check_available(
    record: Record, network: ManagedNetwork, address: str, others: Mapping[str, str]
) -> None:
    """Raise `AddressTaken` where a requested address is not available."""
    name, subnet = network.found.name, ipaddress.IPv4Network(network.bridge.subnet)
    owner = ""
    if address == network.found.gateway:
        owner = "the gateway"
    elif address in (str(subnet.network_address), str(subnet.broadcast_address)):
        owner = "the network itself"
    elif address in network.kept:
        owner = "aux_addresses"
    elif address in {view.address for view in network.views.values()}:
        owner = "a resolver"
    elif address in others and not address_claims.is_available(name, address, others[address]):
        claim = address_claims.read_claim(name, address, others[address])
        owner = f"{claim.name} of project {claim.project}" if claim else "another container"
    if owner:
        raise AddressTaken(record.name, address, name, owner)


def _choose_address(
    record: Record,
    network: ManagedNetwork,
    previous: Collection[str],
    others: Mapping[str, str],
    requested_elsewhere: Collection[str],
) -> str:
    name, first, last = network.found.name, network.first, network.last
    views = {view.address for view in network.views.values()}
    kept = {network.found.gateway, *network.kept, *requested_elsewhere, *views}
    for address in sorted(previous):
        if address not in kept and is_between(address, first, last):
            return address
    leased = {path.name for path in files.find_paths(cni.network_leases_folder(name), "[0-9]*")}
    address = lowest_free(first, last, {*kept, *leased, *others})
    if address:
        return address
    for address, owner in others.items():
        fits = address not in kept and is_between(address, first, last)
        if fits and address_claims.is_available(name, address, owner):
            return address
    raise NoAddressLeft(record.name, name, first, last)


def _choose_names(requests: Sequence[InterfaceRequest], existing: Collection[str]) -> list[str]:
    """Name the interfaces: as requested, the others eth0, eth1 and so on where these are free."""
    taken = set(existing)
    for network, _, _, name in requests:
        if not name:
            continue
        if not NAME.fullmatch(name) or name in (".", "..", "lo"):
            why = "names have at most 15 characters, no spaces, colons or slashes, and lo is taken"
            raise InterfaceRefused(name, network.found.name, why)
        if name in taken:
            raise InterfaceRefused(name, network.found.name, "another interface has the name")
        taken.add(name)
    free = (name for name in (f"eth{number}" for number in range(1000)) if name not in taken)
    return [request.name or next(free) for request in requests]


def check_address(network: ManagedNetwork, address: str) -> None:
    """Raise `AddressRefused` where an address that is asked for is not in a network."""
    if address and not _is_in(address, network.bridge.subnet):
        raise AddressRefused(network.found.name, address, network.bridge.subnet)


def _is_in(address: str, subnet: str) -> bool:
    try:
        return ipaddress.IPv4Address(address) in ipaddress.IPv4Network(subnet)
    except ValueError:
        return False


def release_leases(identity: str, addresses: Mapping[str, str]) -> None:
    """Remove the leases of a container whose hook did not, because runc was killed before it ran.

    ``addresses`` are by network. host-local keeps one file an address, which begins with the container's
    id. Where the addresses are unknown, since the plugins' results were never read, look at all files.
    """
    leases = [cni.network_leases_folder(name) / address for name, address in addresses.items()]
    for path in leases or files.find_paths(cni.leases_folder(), "*/[0-9]*"):
        with contextlib.suppress(FileNotFoundError):
            if path.read_text(errors="replace").startswith(identity):
                path.unlink()
