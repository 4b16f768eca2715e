"""Make records of networks."""

import ipaddress

from cntnr_compose.model.observed import ObservedNetwork
from cntnr_compose.networks.ip_nft import Bridge
from cntnr_compose.networks.records import ManagedNetwork


def managed_network(
    name: str, subnet: str = "10.128.0.0/20", *, internal: bool = False
) -> ManagedNetwork:
    """Make a network whose gateway is the first address of its subnet."""
    gateway = str(ipaddress.ip_network(subnet)[1])
    bridge = Bridge(name=f"br-{name}", gateway=f"{gateway}/20", subnet=subnet, internal=internal)
    return ManagedNetwork(
        found=ObservedNetwork(name=name, gateway=gateway), bridge=bridge, first="a", last="b"
    )
