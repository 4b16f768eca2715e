"""Describe the networks, addresses and ports of a container: ``NetworkSettings`` of `docker inspect`."""

from cntnr_compose.cli.display.container_text import exposed_ports
from cntnr_compose.client import resources
from cntnr_compose.core.names import STANDALONE
from cntnr_compose.core.values import Tree
from cntnr_compose.model.observed import Container
from cntnr_compose.model.service import NetworkAttachment
from cntnr_compose.networks.records import ManagedNetwork, network_id

DEFAULT_NETWORK = "bridge"
NO_ADDRESS: Tree = {
    "EndpointID": "",
    "Gateway": "",
    "GlobalIPv6Address": "",
    "GlobalIPv6PrefixLen": 0,
    "IPAddress": "",
    "IPPrefixLen": 0,
    "IPv6Gateway": "",
    "MacAddress": "",
}
NO_ENDPOINT: Tree = {
    "IPAMConfig": None,
    "Links": None,
    "Aliases": None,
    "DriverOpts": None,
    "GwPriority": 0,
    "NetworkID": "",
    **NO_ADDRESS,
    "DNSNames": None,
}


def describe_networks(container: Container, pid: int) -> Tree:
    """Describe how a container is reached; its first process has a pid on this machine, or it is 0."""
    networks = _describe_endpoints(container)
    default = networks.get(DEFAULT_NETWORK, NO_ADDRESS)
    return {
        "Bridge": "",
        "SandboxID": "",
        "SandboxKey": f"/proc/{pid}/ns/net" if pid else "",
        "Ports": _describe_ports(container) if container.is_running else {},
        **{name: default[name] for name in NO_ADDRESS},
        "Networks": networks,
    }


def _describe_ports(container: Container) -> Tree:
    """Describe published and exposed ports; those that are not published have no value."""
    ports: dict[str, list[Tree] | None] = {}
    for port in container.status.published:
        binding: Tree = {"HostIp": port.url, "HostPort": str(port.published)}
        key = f"{port.target}/{port.protocol}"
        ports[key] = [*(ports.get(key) or []), binding]
    for number, protocol in exposed_ports(container.listed()):
        ports.setdefault(f"{number}/{protocol}", None)
    return dict(sorted(ports.items()))


def _describe_endpoints(container: Container) -> Tree:
    record = container.record
    mode = record.definition.network_mode
    if mode in ("host", "none"):
        return {mode: dict(NO_ENDPOINT)}
    known = {network.found.name: network for network in resources.list_networks()}
    return {
        name: _describe_endpoint(
            container, record.definition.networks.get(key) or NetworkAttachment(), known.get(name)
        )
        for key, name in sorted(record.networks.items(), key=lambda pair: pair[1])
    }


def _describe_endpoint(
    container: Container, attachment: NetworkAttachment, network: ManagedNetwork | None
) -> Tree:
    record = container.record
    names = list(attachment.aliases)
    if record.project != STANDALONE and not record.oneoff:
        names = [record.name, record.service, *names]
    described = NO_ENDPOINT | {
        "Aliases": list(dict.fromkeys(names)) or None,
        "DriverOpts": dict(attachment.driver_opts) or None,
        "GwPriority": attachment.gw_priority,
        "DNSNames": list(dict.fromkeys([record.name, *names, record.id[:12]])),
    }
    if attachment.ipv4_address:
        described["IPAMConfig"] = {"IPv4Address": attachment.ipv4_address}
    if network is None:
        return described
    described["NetworkID"] = network_id(network)
    for endpoint in resources.network_endpoints(network, [container]):
        described |= {
            "EndpointID": resources.endpoint_id(network.found.name, record.id),
            "Gateway": "" if network.found.internal else network.found.gateway,
            "IPAddress": endpoint.address,
            "IPPrefixLen": int(network.found.subnet.rpartition("/")[2] or 0),
            "MacAddress": endpoint.mac,
        }
    return described
