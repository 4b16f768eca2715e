"""Choose the address of a container: the lowest free one of its network's range, as docker does. Pure."""

from collections.abc import Collection, Iterator
from ipaddress import IPv4Address


def lowest_free(first: str, last: str, taken: Collection[str]) -> str:
    """Return the lowest address of a range that is not taken; empty where none is left."""
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
