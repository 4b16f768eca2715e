"""Choose and check subnets of networks, and the addresses of containers in them. Pure."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network
from typing import NamedTuple

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.model.project import AddressPool

# Private addresses, 4094 for each network: first those that home and office networks seldom use, then others
# for machines where a VPN has all of 10.0.0.0/8.
DEFAULT_POOLS = tuple(map(IPv4Network, ("10.128.0.0/10", "172.16.0.0/12", "192.168.0.0/16")))
DEFAULT_PREFIX = 20
RESOLVER_ADDRESSES = 14  # at the end of a subnet, kept for DNS servers


class AddressRange(NamedTuple):
    """A subnet, its gateway, and the first and last address for containers."""

    subnet: IPv4Network
    gateway: IPv4Address
    first: IPv4Address
    last: IPv4Address


class SubnetTaken(CntnrError):
    """The subnet overlaps that of another network."""

    def __init__(self, name: str, subnet: str, other: str) -> None:
        super().__init__(f"cannot create network {name}: subnet {subnet} overlaps network {other}")
        self.hint = "choose another subnet, or leave it out"


class SubnetInvalid(CntnrError):
    """A subnet, gateway or range is malformed or does not fit."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"cannot create network {name}: {why}")


def default_range(subnet: IPv4Network) -> AddressRange:
    """Return the range of a subnet that the file does not ask for; the gateway is the first address."""
    last = subnet[-2 - resolver_address_count(subnet)]
    return AddressRange(subnet, subnet[1], subnet[2], last)


def parse_pool(name: str, pool: AddressPool) -> AddressRange:
    """Parse an address pool of the file. Raises `SubnetInvalid`."""
    subnet = _parse_subnet(name, "subnet", pool.subnet)
    if subnet.num_addresses < 4:
        raise SubnetInvalid(name, f"subnet {subnet} has no room for a gateway and a container")
    try:
        gateway = IPv4Address(pool.gateway or subnet[1])
    except ValueError as error:
        raise SubnetInvalid(name, f"gateway {pool.gateway}: {error}") from error
    if gateway not in subnet:
        raise SubnetInvalid(name, f"gateway {gateway} is not in subnet {subnet}")
    if not pool.ip_range:
        return AddressRange(subnet, gateway, subnet[1], default_range(subnet).last)
    part = _parse_subnet(name, "ip_range", pool.ip_range)
    if not part.subnet_of(subnet):
        raise SubnetInvalid(name, f"ip_range {part} is not in subnet {subnet}")
    return AddressRange(subnet, gateway, max(part[0], subnet[1]), min(part[-1], subnet[-2]))


def _parse_subnet(name: str, kind: str, text: str) -> IPv4Network:
    try:
        return IPv4Network(text, strict=False)
    except ValueError as error:
        raise SubnetInvalid(name, f"{kind} {text}: {error}") from error


def auxiliary_addresses(
    name: str, subnet: IPv4Network, pools: Sequence[AddressPool]
) -> tuple[str, ...]:
    """List the aux_addresses of a network, which no container gets. Raises `SubnetInvalid`."""
    used = ipv4_pool(pools)
    addresses = []
    for pool in pools:
        if pool.subnet and pool is not used:
            continue
        for host, text in pool.aux_addresses.items():
            try:
                address = IPv4Address(text)
            except ValueError as error:
                raise SubnetInvalid(name, f"aux_addresses {host}: {error}") from error
            if address not in subnet:
                raise SubnetInvalid(name, f"aux_addresses {host}: {text} is not in subnet {subnet}")
            addresses.append(str(address))
    return tuple(addresses)


def ipv4_pool(pools: Sequence[AddressPool]) -> AddressPool | None:
    """Return the pool that a network uses: the first of IPv4."""
    return next((pool for pool in pools if pool.subnet and ":" not in pool.subnet), None)


def resolver_address_count(subnet: IPv4Network) -> int:
    """Return how many addresses at the end of a subnet are kept for DNS servers."""
    if subnet.num_addresses >= 64:
        return RESOLVER_ADDRESSES
    return 2 if subnet.num_addresses >= 8 else 0


def is_resolver_address(subnet: IPv4Network, address: str) -> bool:
    """Check whether an address is among those kept for DNS servers."""
    return IPv4Address(address) > subnet[-2 - resolver_address_count(subnet)]


def choose_subnet(
    name: str, taken: Iterable[IPv4Network], routed: Iterable[IPv4Network] = ()
) -> IPv4Network:
    """Choose a subnet that overlaps no taken one, nor a routed one unless everything is routed.

    Raises `SubnetInvalid`.
    """
    networks = list(taken)
    for others in ([*networks, *routed], networks):
        for pool in DEFAULT_POOLS:
            for subnet in pool.subnets(new_prefix=DEFAULT_PREFIX):
                if not any(subnet.overlaps(other) for other in others):
                    return subnet
    raise SubnetInvalid(name, f"no free subnet is left in {', '.join(map(str, DEFAULT_POOLS))}")


def lowest_free(first: str, last: str, taken: Collection[str]) -> str:
    """Return the lowest address of a range that is not taken, as docker does; empty where none is left."""
    candidates = addresses_between(first, last)
    return next((address for address in candidates if address not in taken), "")


def addresses_between(first: str, last: str) -> Iterator[str]:
    """Yield the addresses of a range, both ends included."""
    for number in range(int(IPv4Address(first)), int(IPv4Address(last)) + 1):
        yield str(IPv4Address(number))


def is_between(address: str, first: str, last: str) -> bool:
    """Check whether an address is in a range."""
    return IPv4Address(first) <= IPv4Address(address) <= IPv4Address(last)


def mac_address(address: str) -> str:
    """Derive an interface's MAC address from its IPv4 address, as docker does.

    So neighbours that have cached the MAC address of an IPv4 address stay right when another container
    gets it.
    """
    return ":".join(["02", "42", *(f"{octet:02x}" for octet in IPv4Address(address).packed)])
