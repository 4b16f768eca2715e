"""ip and nft: bridges of the holder's network namespace, and what may pass between them."""

import ipaddress
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from cntnr_compose.adapters import holder, process
from cntnr_compose.core.errors import CntnrError, CommandFailed
from cntnr_compose.core.values import Value

UPLINK = "tap0"


class NetworkFailed(CntnrError):
    """A bridge or a rule cannot be made."""

    def __init__(self, name: str, said: str) -> None:
        super().__init__(f"cannot set network {name} up: {said}")


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
        f"link add {bridge.name} address {_hardware_address(bridge)} type bridge",
        f"link set {bridge.name} mtu {bridge.mtu} up",
        f"addr add {bridge.gateway} dev {bridge.name}",
    ]
    return "\n".join(lines) + "\n"


def _hardware_address(bridge: Bridge) -> str:
    octets = bridge.gateway.partition("/")[0].split(".")
    return ":".join(["02", "cc", *(f"{int(octet):02x}" for octet in octets)])


def rules(table: str, bridges: Sequence[Bridge]) -> str:
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


async def make(name: str, bridge: Bridge) -> None:
    """Make a bridge. Raises `NetworkFailed`, `ProgramMissing`."""
    try:
        await _inside(["ip", "-batch", "-"], bridge_commands(bridge))
    except CommandFailed as error:
        raise NetworkFailed(name, _said(error)) from error


async def rule(name: str, table: str, bridges: Sequence[Bridge]) -> None:
    """Bring a project's rules in line with all bridges that it has.

    Raises `NetworkFailed`, `ProgramMissing`.
    """
    try:
        await _inside(["nft", "-f", "-"], rules(table, bridges))
    except CommandFailed as error:
        raise NetworkFailed(name, _said(error)) from error


def _said(error: CommandFailed) -> str:
    return error.stderr.strip().replace("\n", " / ")


async def tear_down(bridges: Iterable[str], table: str = "", left: Sequence[Bridge] = ()) -> None:
    """Remove bridges, and the rules of what is gone; absent is fine."""
    lines = "".join(f"link del {name}\n" for name in bridges)
    if lines:
        await process.run_async(
            holder.in_network(["ip", "-force", "-batch", "-"]), stdin=lines.encode(), ok=range(256)
        )
    if table:
        gone = f"table inet {table} {{}}\ndelete table inet {table}\n"
        await _inside(["nft", "-f", "-"], rules(table, left) if left else gone)


def links() -> set[str]:
    """Name the interfaces of the holder's network; its first process is on it. Runs inside."""
    lines = Path("/proc/1/net/dev").read_text().splitlines()[2:]
    return {line.partition(":")[0].strip() for line in lines}


def routed() -> list[ipaddress.IPv4Network]:
    """List the subnets that the caller's network namespace has routes to, but for the default one."""
    try:
        rows = [line.split() for line in Path("/proc/net/route").read_text().splitlines()[1:]]
    except OSError:
        return []
    return [
        ipaddress.IPv4Network((_little_endian(row[1]), _little_endian(row[7])), strict=False)
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
        await _inside(["ip", "addr", "replace", f"{address}/32", "dev", bridge], "")
    except CommandFailed as error:
        raise NetworkFailed(bridge, _said(error)) from error


async def _inside(argv: Sequence[str], stdin: str) -> None:
    await process.run_async(holder.in_network(argv), stdin=stdin.encode())
