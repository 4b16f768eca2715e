"""The host's own network, as containers need to know it: address, routes, resolv.conf, a free uplink."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from cntnr_compose.host import files

UPLINK = "tap0"  # the interface of the holder that slirp4netns serves
# What slirp4netns takes by itself, as the gateway's place in it is.
DEFAULT_UPLINK = "10.0.2.0/24"
# Where the machine has that itself, as in VirtualBox and qemu: addresses for measurements (RFC 2544), which
# few have, then private ones. None of them is in the first pool of `networks.subnets`.
OTHER_UPLINKS = ("198.18.0.0/15", "172.16.0.0/12", "192.168.0.0/16")
# The name server of slirp4netns where all of the machine have IPv6 addresses: the other asks none of them.
NAME_SERVER_6 = "fd00::3"
# Wider routes stand for "everywhere": a VPN splits the default route into 0.0.0.0/1 and 128.0.0.0/1.
WIDEST_PREFIX = 8


class Subnet(NamedTuple):
    """A range of IPv4 addresses, as numbers: `ipaddress` takes 4 ms to import, when a holder starts."""

    address: int
    prefix: int

    def overlaps(self, other: "Subnet") -> bool:
        """Check whether the ranges have an address in common."""
        shift = 32 - min(self.prefix, other.prefix)
        return self.address >> shift == other.address >> shift

    def nth(self, number: int) -> str:
        """Return an address of the range."""
        return ".".join(map(str, (self.address + number).to_bytes(4)))

    def __str__(self) -> str:
        return f"{self.nth(0)}/{self.prefix}"


class Route(NamedTuple):
    """A route of a network namespace."""

    interface: str
    subnet: Subnet


def parse_subnet(text: str) -> Subnet:
    """Parse ``10.0.2.0/24``; without a prefix length it is one address."""
    address, _, prefix = text.partition("/")
    return Subnet(int.from_bytes(bytes(map(int, address.split(".")))), int(prefix or 32))


def read_routes(pid: int | str = "self", proc: Path = Path("/proc")) -> list[Route]:
    """Read the routes of a process's network, without default ones (proc(5)); none where it has ended."""
    try:
        rows = [line.split() for line in (proc / str(pid) / "net/route").read_text().splitlines()]
    except OSError:
        return []
    routes = [
        Route(row[0], Subnet(_from_kernel(row[1]), _from_kernel(row[7]).bit_count()))
        for row in rows[1:]
    ]
    return [route for route in routes if route.subnet.prefix]


def _from_kernel(digits: str) -> int:
    return int.from_bytes(bytes.fromhex(digits), sys.byteorder)


def local_addresses(pid: int | str = "self", proc: Path = Path("/proc")) -> list[str]:
    """List the IPv4 addresses of a process's network, without those of the loopback interface."""
    addresses: dict[str, None] = {}
    last = ""
    try:
        lines = (proc / str(pid) / "net/fib_trie").read_text().splitlines()
    except OSError:
        return []
    for line in lines:
        words = line.split()
        if words[0] == "|--":
            last = words[1]
        elif words == ["/32", "host", "LOCAL"] and not last.startswith("127."):
            addresses[last] = None
    return list(addresses)


def machine_subnets(proc: Path = Path("/proc")) -> list[Subnet]:
    """List what the caller's network reaches otherwise than by the default route, and its addresses."""
    routes = (route.subnet for route in read_routes(proc=proc))
    own = [parse_subnet(address) for address in local_addresses(proc=proc)]
    return [*(subnet for subnet in routes if subnet.prefix >= WIDEST_PREFIX), *own]


def choose_uplink(taken: Iterable[Subnet]) -> Subnet:
    """Choose the subnet of slirp4netns: free of ``taken``; the usual one where nothing is free."""
    others = list(taken)
    free = (
        subnet
        for subnet in _uplink_candidates()
        if not any(subnet.overlaps(other) for other in others)
    )
    return next(free, parse_subnet(DEFAULT_UPLINK))


def _uplink_candidates() -> Iterator[Subnet]:
    yield parse_subnet(DEFAULT_UPLINK)
    for pool in map(parse_subnet, OTHER_UPLINKS):
        for address in range(pool.address, pool.address + (1 << 32 - pool.prefix), 256):
            yield Subnet(address, 24)


def find_uplink(pid: int = 1) -> Subnet | None:
    """Find the subnet of the uplink of the holder, of which ``pid`` is a process; by default from inside."""
    return next((one.subnet for one in read_routes(pid) if one.interface == UPLINK), None)


def name_server(uplink: Subnet) -> str:
    """Return the address at which slirp4netns passes questions on to the host's name servers."""
    return NAME_SERVER_6 if needs_ipv6(host_resolv_conf()) else uplink.nth(3)


def ipv6_option(option: str) -> list[str]:
    """Return the option by which the uplink gets IPv6, where it cannot do without."""
    return [option] if needs_ipv6(host_resolv_conf()) else []


def needs_ipv6(resolv_conf: str) -> bool:
    """Check whether all name servers have IPv6 addresses."""
    servers = list_name_servers(resolv_conf)
    return bool(servers) and all(":" in server for server in servers)


def list_name_servers(resolv_conf: str) -> list[str]:
    """List the name servers of a resolv.conf."""
    rows = [line.split() for line in resolv_conf.splitlines()]
    return [row[1] for row in rows if row[:1] == ["nameserver"] and len(row) > 1]


def host_address() -> str:
    """Return an address of the host at which containers reach what listens on it.

    Nothing is sent: connecting a datagram socket only chooses a route. Without a default route take any
    address of the host; where it has none but 127.0.0.1, which containers may not reach, return the
    gateway of the uplink.
    """
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return next(
                iter(local_addresses()), (find_uplink() or parse_subnet(DEFAULT_UPLINK)).nth(2)
            )


def host_resolv_conf(etc: Path = Path("/etc")) -> str:
    """Read the host's own resolv.conf, also inside the holder, where rootlesskit mounted another one."""
    for path in (folder / "resolv.conf" for folder in (*files.find_paths(etc, ".ro*"), etc)):
        try:
            # A link of systemd-resolved's is meant to be followed from /etc, not from its copy.
            return (etc / path.readlink() if path.is_symlink() else path).read_text()
        except OSError:
            continue
    return ""
