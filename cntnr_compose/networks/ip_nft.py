"""ip and nft: bridges of the holder's network namespace, and the firewall rules between them."""

from collections.abc import Collection, Sequence
from pathlib import Path

from cntnr_compose.core.errors import CntnrError, CommandFailed
from cntnr_compose.core.values import Value
from cntnr_compose.host import network, process
from cntnr_compose.host.namespaces import holder
from cntnr_compose.host.network import UPLINK

IP_BATCH = ("ip", "-batch", "-")
NFT_FILE = ("nft", "-f", "-")


class NetworkFailed(CntnrError):
    """A bridge or a rule cannot be created."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"cannot set network {name} up: {reason}")


class NetworkStays(CntnrError):
    """A bridge or a rule cannot be removed."""

    hint = "run `cntnr compose down` again; the next `up` completes what is left of the network"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"cannot take network {name} down: {reason}")


class Bridge(Value, frozen=True, kw_only=True):
    """A bridge and its options; the gateway has a prefix length: ``10.89.0.1/24``."""

    name: str
    gateway: str
    subnet: str
    internal: bool = False
    mtu: int = holder.MTU
    masquerade: bool = True
    reserved: str = ""  # A-B, C: further addresses of DNS servers


def bridge_commands(bridge: Bridge) -> str:
    """Build the lines for ``ip -batch`` that create a bridge.

    Without a MAC address of its own, a bridge takes the lowest of its ports, which changes as they come and
    go: containers would send to the old one until their neighbour caches expire.
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
    """Build one project's nft table: masquerade what leaves, and isolate networks from each other.

    A container reaches its own network, and the outside unless the network is internal. It reaches no
    address of other bridges, since their gateways resolve names of networks that it is not on.
    """
    post, forward, inward = [], [], []
    for bridge in bridges:
        name = bridge.name
        if bridge.masquerade and not bridge.internal:
            post.append(f'ip saddr {bridge.subnet} oifname "{UPLINK}" masquerade')
        outside = "" if bridge.internal else f', "{UPLINK}"'
        forward.append(f'iifname "{name}" oifname != {{ "{name}"{outside} }} drop')
        if bridge.internal:
            forward.append(f'oifname "{name}" iifname "{UPLINK}" drop')
        own = ", ".join(filter(None, (bridge.gateway.partition("/")[0], bridge.reserved)))
        inward.append(f'iifname "{name}" ip daddr != {{ {own} }} fib daddr type local drop')
    lines = [
        f"table inet {table} {{}}", f"delete table inet {table}", f"table inet {table} {{",
        "chain post { type nat hook postrouting priority 100;", *post, "}",
        "chain pass { type filter hook forward priority 0;", *forward, "}",
        "chain inward { type filter hook input priority 0;", *inward, "}",
        "}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def table_name(project: str, network: str) -> str:
    """Name the table of a project, or of a network that belongs to none.

    nft takes letters, digits and underscores.
    """
    owner = project or network
    escaped = "".join(char if char.isalnum() else f"_{ord(char):x}_" for char in owner)
    return f"{'p' if project else 'n'}_{escaped}"


async def create_bridge(name: str, bridge: Bridge) -> None:
    """Create a bridge. Raises `NetworkFailed`, `ProgramMissing`."""
    try:
        await _run_in_holder_network(IP_BATCH, bridge_commands(bridge))
    except CommandFailed as error:
        if bridge.name not in interface_names():
            raise NetworkFailed(name, error.reason) from error
        # The repair of another project created it at the same moment.
        await _configure_bridge(name, bridge)


async def apply_nft_rules(name: str, table: str, bridges: Sequence[Bridge]) -> None:
    """Replace a project's rules by those for all its bridges.

    Raises `NetworkFailed`, `ProgramMissing`.
    """
    try:
        await _run_in_holder_network(NFT_FILE, nft_rules(table, bridges))
    except CommandFailed as error:
        raise NetworkFailed(name, error.reason) from error


async def remove_bridges(
    bridges: Collection[str], table: str = "", remaining: Sequence[Bridge] = (), *, name: str = ""
) -> None:
    """Remove bridges, and keep only the rules of the ``remaining`` ones; absent is fine.

    Go on after a failure. Raises `NetworkStays` of the network ``name``.
    """
    reason = ""
    lines = "".join(f"link del {bridge}\n" for bridge in bridges)
    if lines:
        result = await _run_ip_force(lines)
        if interface_names().intersection(bridges):
            message = " / ".join(result.stderr.strip().splitlines())
            reason = message or f"ip ended with status {result.returncode}"
    if table:
        no_rules = f"table inet {table} {{}}\ndelete table inet {table}\n"
        try:
            rules = nft_rules(table, remaining) if remaining else no_rules
            await _run_in_holder_network(NFT_FILE, rules)
        except CommandFailed as error:
            reason = reason or error.reason
    if reason:
        raise NetworkStays(name, reason)


async def repair_bridge(
    name: str, bridge: Bridge, extra_addresses: Collection[str] = (), ports: Collection[str] = ()
) -> None:
    """Create a bridge again with the ``ports`` that it had, or correct its state and addresses.

    Raises `NetworkFailed`, `ProgramMissing`.
    """
    if bridge.name not in interface_names():
        await create_bridge(name, bridge)
        lines = "".join(f"link set {port} master {bridge.name}\n" for port in ports)
        if lines:
            await _run_ip_force(lines)  # the ports of containers that end may be gone
    await _configure_bridge(name, bridge, extra_addresses)


async def _configure_bridge(
    name: str, bridge: Bridge, extra_addresses: Collection[str] = ()
) -> None:
    """Set the state and the addresses of an existing bridge."""
    addresses = (bridge.gateway, *(f"{address}/32" for address in extra_addresses))
    lines = [f"link set {bridge.name} mtu {bridge.mtu} up"]
    lines += [f"addr replace {address} dev {bridge.name}" for address in addresses]
    try:
        await _run_in_holder_network(IP_BATCH, "\n".join(lines) + "\n")
    except CommandFailed as error:
        raise NetworkFailed(name, error.reason) from error


def is_bridge_complete(bridge: Bridge, extra_addresses: Collection[str]) -> bool:
    """Check whether a bridge exists, is up, and has its addresses. Runs inside; starts no program."""
    subnet = network.parse_subnet(bridge.subnet)
    addresses = {bridge.gateway.partition("/")[0], *extra_addresses}
    is_routed = network.Route(bridge.name, subnet) in network.read_routes(1)
    return is_routed and addresses <= set(network.local_addresses(1))


def interface_names(pid: int = 1) -> set[str]:
    """List the interfaces of the network of a process, else of the holder's. Runs inside."""
    try:
        lines = Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]
    except (FileNotFoundError, ProcessLookupError):  # it has ended, and its network with it
        return set()
    return {line.partition(":")[0].strip() for line in lines}


async def add_address(bridge: str, address: str) -> None:
    """Add an address to a bridge. Raises `NetworkFailed`."""
    try:
        await _run_in_holder_network(["ip", "addr", "replace", f"{address}/32", "dev", bridge], "")
    except CommandFailed as error:
        raise NetworkFailed(bridge, error.reason) from error


async def set_default_route(pid: int, gateway: str, interface: str) -> None:
    """Lead all that leaves the network of a process by one of its interfaces. Raises `CommandFailed`."""
    await _run_in_network_of(pid, "route", "replace", "default", "via", gateway, "dev", interface)


async def remove_interface(pid: int, interface: str) -> None:
    """Remove an interface of the network of a process. Raises `CommandFailed`."""
    await _run_in_network_of(pid, "link", "del", interface)


async def _run_in_network_of(pid: int, *words: str) -> None:
    await process.run_async(["nsenter", f"--net=/proc/{pid}/ns/net", "ip", *words])


async def _run_in_holder_network(argv: Sequence[str], stdin: str) -> None:
    await process.run_async(holder.nsenter_network_argv(argv), stdin=stdin.encode())


async def _run_ip_force(lines: str) -> process.ProgramResult:
    """Run ``ip -batch`` to the end of its lines, also where some fail."""
    argv = holder.nsenter_network_argv(["ip", "-force", "-batch", "-"])
    return await process.run_async(argv, stdin=lines.encode(), ok=range(256))
