"""Checks of `doctor` about networks: subnets that the machine has, too, and its name servers."""

from collections.abc import Iterable

from cntnr_compose.doctor.check import Check
from cntnr_compose.host import network
from cntnr_compose.host.namespaces import holder
from cntnr_compose.host.network import Route, Subnet

RESTART = (
    "cntnr compose down, then up, for each project of `cntnr compose ls`: others are chosen then"
)


def check_networks() -> list[Check]:
    """Run the checks."""
    running = holder.find_holder()
    used = network.read_routes(running.child) if running else []
    return [
        check_way_out(network.local_addresses(), network.host_resolv_conf()),
        check_subnets(used, network.machine_subnets()),
    ]


def check_way_out(addresses: list[str], resolv_conf: str) -> Check:
    """Check that the machine has an address for what containers send, and name servers."""
    name = "way out"
    if not addresses:
        return Check(
            name=name,
            state="reduced",
            found="this machine has no IPv4 address but those of its loopback",
            loses="containers reach each other, but nothing outside, nor this machine (host-gateway)",
            mend="connect it to a network that has IPv4",
        )
    servers = network.list_name_servers(resolv_conf)
    if not servers:
        return Check(
            name=name,
            state="reduced",
            found="/etc/resolv.conf names no server",
            loses="containers resolve names of services, but none of the outside",
            mend="ask who runs the machine, or give services `dns: [ADDRESS]`",
        )
    finding = f"from {addresses[0]}; names by {', '.join(servers)}"
    return Check(name=name, state="ok", found=finding)


def check_subnets(used: Iterable[Route], machine: Iterable[Subnet]) -> Check:
    """Check that the networks of the holder are no networks of the machine, as that of a VPN may be."""
    name, routes, others = "subnets", list(used), list(machine)
    doubled = [
        f"{route.subnet} ({route.interface}) and {other}"
        for route in routes
        for other in others
        if route.subnet.overlaps(other)
    ]
    if not doubled:
        uplink = next((one.subnet for one in routes if one.interface == network.UPLINK), None)
        finding = f"{uplink or network.choose_uplink(others)} leads out; the machine has no such"
        return Check(name=name, state="ok", found=finding)
    return Check(
        name=name,
        state="reduced",
        found=f"one of containers and one of the machine overlap: {', '.join(doubled)}",
        loses="containers do not reach that part of the machine's networks",
        mend=RESTART,
    )
