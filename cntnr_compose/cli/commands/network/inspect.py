"""`cntnr network inspect`: describe networks as JSON, with docker's keys."""

import time
from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import argument, command, flag, option

if TYPE_CHECKING:
    from cntnr_compose.client.resources import Endpoint
    from cntnr_compose.core.values import Tree
    from cntnr_compose.networks.records import ManagedNetwork


@command("NETWORK [NETWORK...]", of_project=False)
@argument("names", many=True, metavar="NETWORK")
@option("-f", "--format", "form", default="", metavar="FORMAT", help="json, template.")
@flag("-v", "--verbose", "_verbose", help="Without effect: there is no more to tell.")
def inspect(names: tuple[str, ...], *, form: str, _verbose: bool) -> int:
    """Describe networks, with the containers that run on them."""
    from cntnr_compose.cli.flows.resource_lists import print_inspected

    return print_inspected(names, form, describe_named_network)


def describe_named_network(name: str) -> "Tree":
    """Make the object of a network with a name or id. Raises `NoSuchNetwork`, `NetworkAmbiguous`."""
    from cntnr_compose.client.resources import find_network, list_containers, network_endpoints

    network = find_network(name)
    return describe_network(network, network_endpoints(network, list_containers()))


def describe_network(network: "ManagedNetwork", endpoints: "list[Endpoint]") -> "Tree":
    """Make the object that docker prints of a network."""
    from cntnr_compose.networks.records import network_id

    requested = network.requested
    identity = network_id(network)
    return {
        "Name": network.found.name,
        "Id": identity,
        "Created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(network.found.created)),
        "Scope": "local",
        "Driver": "bridge",
        "EnableIPv4": True,
        "EnableIPv6": False,
        "IPAM": {"Driver": "default", "Options": {}, "Config": [_describe_pool(network)]},
        "Internal": network.found.internal,
        "Attachable": bool(requested and requested.attachable),
        "Ingress": False,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": {
            end.container.record.id: _describe_endpoint(network, end) for end in endpoints
        },
        "Options": dict(requested.driver_opts) if requested else {},
        "Labels": dict(network.found.labels),
    }


def _describe_pool(network: "ManagedNetwork") -> "Tree":
    """Describe subnet and gateway, and what else was asked for."""
    pools = network.requested.pools if network.requested else ()
    pool = next((pool for pool in pools if pool.subnet and ":" not in pool.subnet), None)
    described: Tree = {"Subnet": network.found.subnet}
    if pool is not None and pool.ip_range:
        described["IPRange"] = pool.ip_range
    described["Gateway"] = network.found.gateway
    if pool is not None and pool.aux_addresses:
        described["AuxiliaryAddresses"] = dict(pool.aux_addresses)
    return described


def _describe_endpoint(network: "ManagedNetwork", endpoint: "Endpoint") -> "Tree":
    from cntnr_compose.client.resources import endpoint_id

    prefix = network.found.subnet.rpartition("/")[2]
    return {
        "Name": endpoint.container.name,
        "EndpointID": endpoint_id(network.found.name, endpoint.container.record.id),
        "MacAddress": endpoint.mac,
        "IPv4Address": f"{endpoint.address}/{prefix}",
        "IPv6Address": "",
    }
