"""Which address a container gets: the lowest one that nobody has or is to have, as docker counts."""

from collections.abc import Collection, Iterator
from ipaddress import IPv4Address


def lowest_free(first: str, last: str, taken: Collection[str]) -> str:
    """Give the lowest address of a range that is not taken; empty where none is left."""
    return next((one for one in addresses_between(first, last) if one not in taken), "")


def addresses_between(first: str, last: str) -> Iterator[str]:
    """Give the addresses of a range, both ends too."""
    for number in range(int(IPv4Address(first)), int(IPv4Address(last)) + 1):
        yield str(IPv4Address(number))


def is_between(address: str, first: str, last: str) -> bool:
    """Tell whether an address belongs to a range."""
    return IPv4Address(first) <= IPv4Address(address) <= IPv4Address(last)


def mac_address(address: str) -> str:
    """Derive an interface's hardware address from its IPv4 address, as docker does.

    Who knows the one from earlier need not learn that another container has the other now.
    """
    return ":".join(["02", "42", *(f"{octet:02x}" for octet in IPv4Address(address).packed)])
