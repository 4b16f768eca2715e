"""What a container gets on its networks: interfaces, the addresses asked for, and how they are given back."""

import contextlib
import ipaddress
import re
from collections.abc import Collection, Mapping, Sequence

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import replace
from cntnr_compose.host import files
from cntnr_compose.model.observed import Record
from cntnr_compose.networks import address_claims as claims
from cntnr_compose.networks import addresses as choice
from cntnr_compose.networks import cni
from cntnr_compose.networks.manager import ManagedNetwork

NAME = re.compile(r"[^/\s:]{1,15}")  # IFNAMSIZ; what the kernel takes (dev_valid_name)


class AddressRefused(CntnrError):
    """An address that a service asks for is not in its network."""

    def __init__(self, name: str, address: str, subnet: str) -> None:
        super().__init__(f"cannot give address {address} on network {name}: it is not in {subnet}")


class AddressTaken(CntnrError):
    """An address that a service asks for is another's."""

    hint = "choose another ipv4_address, or remove who has it"

    def __init__(self, container: str, address: str, network: str, by: str) -> None:
        super().__init__(
            f"cannot give {container} address {address} on network {network}: {by} has it"
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


def plan_interfaces(
    chosen: Sequence[tuple[ManagedNetwork, str, str, str]], gateway_on: str
) -> tuple[cni.Interface, ...]:
    """Make the interfaces of a container: (network, address asked for, MAC, interface name) each.

    Raises `AddressRefused`, `InterfaceRefused`.
    """
    names = _choose_names(chosen)
    made = []
    for name, (one, address, mac, _) in zip(names, chosen, strict=True):
        if address and not _is_in(address, one.bridge.subnet):
            raise AddressRefused(one.found.name, address, one.bridge.subnet)
        made.append(
            cni.Interface(
                name=name,
                network=one.found.name,
                bridge=one.bridge.name,
                subnet=one.bridge.subnet,
                gateway=one.found.gateway,
                address=address,
                mac=mac,
                mtu=one.bridge.mtu,
                default_route=one.found.name == gateway_on,
            )
        )
    return tuple(made)


def assign_address(
    record: Record, made: ManagedNetwork, asked: cni.Interface, requested_elsewhere: Collection[str]
) -> cni.Interface:
    """Give an interface its address: the one asked for, the one that it had, or the first free one.

    Those ``promised`` to services that ask for them are nobody else's. Raises `AddressTaken`,
    `NoAddressLeft`.
    """
    network, identity = made.found.name, record.id
    with files.file_lock(claims.lock_file()):
        there = claims.list_claims(network)
        mine = {address for address, who in there.items() if who == identity}
        others = {address: who for address, who in there.items() if who != identity}
        if asked.address:
            address = asked.address
            _check_available(record, made, address, others)
        else:
            address = _choose_address(record, made, mine, others, requested_elsewhere)
        for old in mine - {address}:
            claims.remove_claim(network, old, identity)
        if address in others:
            claims.remove_claim(network, address, others[address])
        claims.write_claim(
            network,
            address,
            identity,
            claims.AddressClaim(project=record.project, name=record.name),
        )
    release_leases(identity, {network: address})  # a hook that was killed gave nothing back
    return replace(asked, address=address, mac=asked.mac or choice.mac_address(address))


def _check_available(
    record: Record, made: ManagedNetwork, address: str, others: Mapping[str, str]
) -> None:
    """Raise `AddressTaken` where an address that is asked for cannot be had."""
    network = made.found.name
    by = ""
    if address in made.kept:
        by = "aux_addresses"
    elif address in {view.address for view in made.views.values()}:
        by = "a resolver"
    elif address in others and not claims.is_available(network, address, others[address]):
        claim = claims.read_claim(network, address, others[address])
        by = f"{claim.name} of project {claim.project}" if claim else "another container"
    if by:
        raise AddressTaken(record.name, address, network, by)


def _choose_address(
    record: Record,
    made: ManagedNetwork,
    mine: Collection[str],
    others: Mapping[str, str],
    requested_elsewhere: Collection[str],
) -> str:
    network = made.found.name
    nobodys = {
        made.found.gateway, *made.kept, *requested_elsewhere, *(view.address for view in made.views.values())
    }  # fmt: skip
    for address in sorted(mine):
        if address not in nobodys and choice.is_between(address, made.first, made.last):
            return address
    leased = {path.name for path in (cni.network_leases_folder(network)).glob("[0-9]*")}
    address = choice.lowest_free(made.first, made.last, {*nobodys, *leased, *others})
    if address:
        return address
    for address, who in others.items():
        fits = address not in nobodys and choice.is_between(address, made.first, made.last)
        if fits and claims.is_available(network, address, who):
            return address
    raise NoAddressLeft(record.name, network, made.first, made.last)


def _choose_names(chosen: Sequence[tuple[ManagedNetwork, str, str, str]]) -> list[str]:
    """Name the interfaces: as is asked for, the others eth0, eth1 and so on where these are free."""
    asked: set[str] = set()
    for one, _, _, name in chosen:
        if not name:
            continue
        if not NAME.fullmatch(name) or name in (".", "..", "lo"):
            why = "names have at most 15 characters, no spaces, colons or slashes, and lo is taken"
            raise InterfaceRefused(name, one.found.name, why)
        if name in asked:
            raise InterfaceRefused(name, one.found.name, "another interface has the name")
        asked.add(name)
    free = (name for name in (f"eth{number}" for number in range(1000)) if name not in asked)
    return [name or next(free) for _, _, _, name in chosen]


def _is_in(address: str, subnet: str) -> bool:
    try:
        return ipaddress.IPv4Address(address) in ipaddress.IPv4Network(subnet)
    except ValueError:
        return False


def release_leases(identity: str, addresses: Mapping[str, str]) -> None:
    """Give a container's addresses back that its hook did not: runc was killed before it ran.

    host-local keeps one file an address, which begins with the container's id. Where the addresses
    are not known, since nobody read the plugins' answers, all files are looked at.
    """
    known = [cni.network_leases_folder(name) / address for name, address in addresses.items()]
    for path in known or cni.leases_folder().glob("*/[0-9]*"):
        with contextlib.suppress(FileNotFoundError):
            if path.read_text(errors="replace").startswith(identity):
                path.unlink()
