"""ip and nft: bridges of the holder's network namespace, and what may pass between them."""

import ipaddress
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from cntnr_compose.core.errors import CntnrError, CommandFailed
from cntnr_compose.core.values import Value
from cntnr_compose.host import process
from cntnr_compose.host.namespaces import holder

UPLINK = "tap0"


class NetworkFailed(CntnrError):
    """A bridge or a rule cannot be made."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"cannot set network {name} up: {reason}")


class NetworkStays(CntnrError):
    """A bridge or a rule cannot be taken away."""

    hint = "run `cntnr compose down` again; the next `up` completes what is left of the network"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"cannot take network {name} down: {reason}")


class Bridge(Value, frozen=True, kw_only=True):
    """A bridge and what it is for; the gateway carries the prefix length, ``10.89.0.1/24``."""

    name: str
    gateway: str
    subnet: str
    internal: bool = False
    mtu: int = holder.MTU
    masquerade: bool = True
    reserved: str = ""  # A-B, C: further addresses on which names are resolved


def bridge_commands(bridge: Bridge) -> str:
    """Write the lines for ``ip -batch`` that make a bridge.

    Without a hardware address of its own, a bridge takes the lowest of its ports' and changes it as
    they come and go: containers then talk to the old one until they have noticed.
    """
    lines = [
        f"link add {bridge.name} address {_bridge_mac(bridge)} type bridge",
        f"link set {bridge.name} mtu {bridge.mtu} up",
        f"addr add {bridge.gateway} dev {bridge.name}",
    ]
    return "\n".join(lines) + "\n"


def _bridge_mac(bridge: Bridge) -> str:
    octets = bridge.gateway.partition("/")[0].split(".")
    return ":".join(["02", "cc", *(f"{int(octet):02x}" for octet in octets)])


def nft_rules(table: str, bridges: Sequence[Bridge]) -> str:
    """Write one project's nft table: what leaves is masqueraded, and networks are kept apart.

    A container reaches its own network, the outside unless the network is internal, and of the other
    bridges' addresses none: their gateways answer names that are not its business.
    """
    post, forward, inward = [], [], []
    for one in bridges:
        if one.masquerade and not one.internal:
            post.append(f'ip saddr {one.subnet} oifname "{UPLINK}" masquerade')
        reach = "" if one.internal else f', "{UPLINK}"'
        forward.append(f'iifname "{one.name}" oifname != {{ "{one.name}"{reach} }} drop')
        if one.internal:
            forward.append(f'oifname "{one.name}" iifname "{UPLINK}" drop')
        own = ", ".join(filter(None, (one.gateway.partition("/")[0], one.reserved)))
        inward.append(f'iifname "{one.name}" ip daddr != {{ {own} }} fib daddr type local drop')
    lines = [
        f"table inet {table} {{}}", f"delete table inet {table}", f"table inet {table} {{",
        "chain post { type nat hook postrouting priority 100;", *post, "}",
        "chain pass { type filter hook forward priority 0;", *forward, "}",
        "chain inward { type filter hook input priority 0;", *inward, "}",
        "}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def table_name(project: str) -> str:
    """Name a project's table; nft takes letters, digits and underscores."""
    return "p_" + "".join(char if char.isalnum() else f"_{ord(char):x}_" for char in project)


async def create_bridge(name: str, bridge: Bridge) -> None:
    """Make a bridge. Raises `NetworkFailed`, `ProgramMissing`."""
    try:
        await _run_in_holder_network(["ip", "-batch", "-"], bridge_commands(bridge))
    except CommandFailed as error:
        if bridge.name not in interface_names():
            raise NetworkFailed(name, _error_text(error)) from error
        await _configure_bridge(
            name, bridge
        )  # a project that joins it has completed it at the same moment


async def apply_nft_rules(name: str, table: str, bridges: Sequence[Bridge]) -> None:
    """Bring a project's rules in line with all bridges that it has.

    Raises `NetworkFailed`, `ProgramMissing`.
    """
    try:
        await _run_in_holder_network(["nft", "-f", "-"], nft_rules(table, bridges))
    except CommandFailed as error:
        raise NetworkFailed(name, _error_text(error)) from error


def _error_text(error: CommandFailed) -> str:
    return _one_line(error.stderr)


def _one_line(text: str) -> str:
    return text.strip().replace("\n", " / ")


async def remove_bridges(
    bridges: Collection[str], table: str = "", remaining: Sequence[Bridge] = (), *, name: str = ""
) -> None:
    """Remove bridges, and the rules of what is gone; absent is fine.

    What fails does not keep the rest. Raises `NetworkStays` of the network ``name``.
    """
    said = ""
    lines = "".join(f"link del {one}\n" for one in bridges)
    if lines:
        done = await process.run_async(
            holder.nsenter_network_argv(["ip", "-force", "-batch", "-"]),
            stdin=lines.encode(),
            ok=range(256),
        )
        if interface_names().intersection(bridges):
            said = _one_line(done.stderr) or f"ip ended with status {done.returncode}"
    if table:
        gone = f"table inet {table} {{}}\ndelete table inet {table}\n"
        try:
            await _run_in_holder_network(
                ["nft", "-f", "-"], nft_rules(table, remaining) if remaining else gone
            )
        except CommandFailed as error:
            said = said or _error_text(error)
    if said:
        raise NetworkStays(name, said)


async def repair_bridge(
    name: str, bridge: Bridge, extra_addresses: Collection[str] = (), ports: Collection[str] = ()
) -> None:
    """Make a bridge what it should be, or anew, with ``further`` addresses and the ``ports`` it had.

    Raises `NetworkFailed`, `ProgramMissing`.
    """
    if bridge.name not in interface_names():
        await create_bridge(name, bridge)
        joined = "".join(f"link set {port} master {bridge.name}\n" for port in ports)
        if joined:  # one that is gone belongs to a container that ends
            argv = holder.nsenter_network_argv(["ip", "-force", "-batch", "-"])
            await process.run_async(argv, stdin=joined.encode(), ok=range(256))
    await _configure_bridge(name, bridge, extra_addresses)


async def _configure_bridge(
    name: str, bridge: Bridge, extra_addresses: Collection[str] = ()
) -> None:
    """Give a bridge that is there its state and its addresses."""
    addresses = (bridge.gateway, *(f"{one}/32" for one in extra_addresses))
    lines = [f"link set {bridge.name} mtu {bridge.mtu} up"]
    lines += [f"addr replace {one} dev {bridge.name}" for one in addresses]
    try:
        await _run_in_holder_network(["ip", "-batch", "-"], "\n".join(lines) + "\n")
    except CommandFailed as error:
        raise NetworkFailed(name, _error_text(error)) from error


def is_bridge_complete(bridge: Bridge, extra_addresses: Collection[str]) -> bool:
    """Tell whether a bridge is there, up, and has its addresses. Runs inside; it starts no program."""
    subnet = ipaddress.IPv4Network(bridge.subnet)
    routes = Path("/proc/1/net/route").read_text()
    wanted = {bridge.gateway.partition("/")[0], *extra_addresses}
    return (bridge.name, subnet) in _parse_routes(routes) and wanted <= _local_addresses()


def _local_addresses() -> set[str]:
    """List the addresses of the holder's network; its first process is on it."""
    found, last = set(), ""
    for line in Path("/proc/1/net/fib_trie").read_text().splitlines():
        words = line.split()
        if words[0] == "|--":
            last = words[1]
        elif words == ["/32", "host", "LOCAL"]:
            found.add(last)
    return found


def interface_names() -> set[str]:
    """Name the interfaces of the holder's network; its first process is on it. Runs inside."""
    lines = Path("/proc/1/net/dev").read_text().splitlines()[2:]
    return {line.partition(":")[0].strip() for line in lines}


def routed_subnets() -> list[ipaddress.IPv4Network]:
    """List the subnets that the caller's network namespace has routes to, but for the default one."""
    try:
        return [subnet for _, subnet in _parse_routes(Path("/proc/net/route").read_text())]
    except OSError:
        return []


def _parse_routes(text: str) -> list[tuple[str, ipaddress.IPv4Network]]:
    """Read interface and subnet of each route but the default one (proc(5))."""
    rows = [line.split() for line in text.splitlines()[1:]]
    return [
        (
            row[0],
            ipaddress.IPv4Network((_little_endian(row[1]), _little_endian(row[7])), strict=False),
        )
        for row in rows
        if row[7] != "00000000"
    ]


def _little_endian(digits: str) -> str:
    return str(
        ipaddress.IPv4Address(bytes.fromhex(digits)[:: -1 if sys.byteorder == "little" else 1])
    )


async def add_address(bridge: str, address: str) -> None:
    """Give a bridge one more address. Raises `NetworkFailed`."""
    try:
        await _run_in_holder_network(["ip", "addr", "replace", f"{address}/32", "dev", bridge], "")
    except CommandFailed as error:
        raise NetworkFailed(bridge, _error_text(error)) from error


async def _run_in_holder_network(argv: Sequence[str], stdin: str) -> None:
    await process.run_async(holder.nsenter_network_argv(argv), stdin=stdin.encode())
