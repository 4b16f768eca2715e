"""Subnets of networks: those that a file asks for, and free ones."""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.model.project import AddressPool

# Private addresses that home and office networks seldom use, 4094 for each network.
DEFAULT_POOL = ipaddress.ip_network("10.128.0.0/10")
DEFAULT_PREFIX = 20
RESOLVER_ADDRESSES = 14  # addresses at the end of a subnet that are kept for resolvers
Address: TypeAlias = ipaddress.IPv4Address
AddressRange: TypeAlias = tuple[
    ipaddress.IPv4Network, Address, Address, Address
]  # gateway, first, last


class SubnetTaken(CntnrError):
    """The subnet overlaps that of another network."""

    def __init__(self, name: str, subnet: str, other: str) -> None:
        super().__init__(f"cannot create network {name}: subnet {subnet} overlaps network {other}")
        self.hint = "choose another subnet, or leave it out"


class SubnetInvalid(CntnrError):
    """A subnet, gateway or range is no such thing."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"cannot create network {name}: {why}")


def parse_pool(name: str, pool: AddressPool) -> AddressRange:
    """Read a pool of the file: subnet, gateway, first and last address to give.

    Raises `SubnetInvalid`.
    """
    subnet = _read_subnet(name, "subnet", pool.subnet)
    if subnet.num_addresses < 4:
        raise SubnetInvalid(name, f"subnet {subnet} has no room for a gateway and a container")
    try:
        gateway = ipaddress.IPv4Address(pool.gateway or subnet[1])
    except ValueError as error:
        raise SubnetInvalid(name, f"gateway {pool.gateway}: {error}") from error
    if gateway not in subnet:
        raise SubnetInvalid(name, f"gateway {gateway} is not in subnet {subnet}")
    if not pool.ip_range:
        return subnet, gateway, subnet[1], subnet[-2 - resolver_address_count(subnet)]
    part = _read_subnet(name, "ip_range", pool.ip_range)
    if not part.subnet_of(subnet):
        raise SubnetInvalid(name, f"ip_range {part} is not in subnet {subnet}")
    return subnet, gateway, max(part[0], subnet[1]), min(part[-1], subnet[-2])


def auxiliary_addresses(
    name: str, subnet: ipaddress.IPv4Network, pools: Sequence[AddressPool]
) -> tuple[str, ...]:
    """Read the aux_addresses of a network: no container gets one of these. Raises `SubnetInvalid`."""
    used = ipv4_pool(pools)
    found = []
    for pool in pools:
        if pool.subnet and pool is not used:
            continue
        for word, text in pool.aux_addresses.items():
            try:
                address = ipaddress.IPv4Address(text)
            except ValueError as error:
                raise SubnetInvalid(name, f"aux_addresses {word}: {error}") from error
            if address not in subnet:
                raise SubnetInvalid(name, f"aux_addresses {word}: {text} is not in subnet {subnet}")
            found.append(str(address))
    return tuple(found)


def ipv4_pool(pools: Sequence[AddressPool]) -> AddressPool | None:
    """Give the pool that a network has: the first of IPv4."""
    return next((pool for pool in pools if pool.subnet and ":" not in pool.subnet), None)


def _read_subnet(name: str, kind: str, text: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(text, strict=False)
    except ValueError as error:
        raise SubnetInvalid(name, f"{kind} {text}: {error}") from error


def resolver_address_count(subnet: ipaddress.IPv4Network) -> int:
    """Tell how many addresses at the end of a subnet are kept for resolvers."""
    return (
        RESOLVER_ADDRESSES if subnet.num_addresses >= 64 else 2 if subnet.num_addresses >= 8 else 0
    )


def is_resolver_address(subnet: ipaddress.IPv4Network, address: str) -> bool:
    """Tell whether an address is one of those kept for resolvers."""
    return Address(address) > subnet[-2 - resolver_address_count(subnet)]


def choose_subnet(name: str, taken: Iterable[ipaddress.IPv4Network]) -> ipaddress.IPv4Network:
    """Choose a subnet that overlaps none. Raises `SubnetInvalid`."""
    used = list(taken)
    for subnet in DEFAULT_POOL.subnets(new_prefix=DEFAULT_PREFIX):
        if not any(subnet.overlaps(other) for other in used):
            return ipaddress.IPv4Network(subnet)
    raise SubnetInvalid(name, f"no free subnet is left in {DEFAULT_POOL}")
