"""`cntnr network ls`: list the networks of all projects, and those that were created by hand."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.list_options import filter_option, table_format
from cntnr_compose.cli.parser.options import command, flag

if TYPE_CHECKING:
    from cntnr_compose.core.values import Tree
    from cntnr_compose.networks.records import ManagedNetwork

HEADER = ("NETWORK ID", "NAME", "DRIVER", "SCOPE")
HEADINGS = {"ID": "NETWORK ID"}
FILTERS = ("dangling", "driver", "id", "label", "name", "scope", "type")
TYPES = ("custom", "builtin")


@command(of_project=False)
@filter_option(f"{', '.join(FILTERS)}=VALUE.", "-f")
@table_format()
@flag("--no-trunc", help="Whole ids.")
@flag("-q", "--quiet", help="Only ids.")
def ls(*, filters: tuple[str, ...], form: str, no_trunc: bool, quiet: bool) -> None:
    """List networks."""
    from cntnr_compose.cli.display.listing import print_rows
    from cntnr_compose.cli.flows.resource_lists import parse_filters
    from cntnr_compose.client.resources import list_networks
    from cntnr_compose.networks.records import network_id

    networks = select_networks(list_networks(), parse_filters(filters, FILTERS))
    identities = [network_id(network)[: None if no_trunc else 12] for network in networks]
    if quiet:
        stdout.write("".join(f"{identity}\n" for identity in identities))
        return
    pairs = list(zip(networks, identities, strict=True))
    rows = [(identity, network.found.name, "bridge", "local") for network, identity in pairs]
    objects = [json_object(network, identity) for network, identity in pairs]
    print_rows(form, HEADER, rows, objects, min_width=10, headings=HEADINGS)


def select_networks(
    networks: "Sequence[ManagedNetwork]", filters: Mapping[str, list[str]]
) -> "list[ManagedNetwork]":
    """Return the networks that all filters let through. Raises `FilterInvalid`."""
    from cntnr_compose.cli.flows import resource_lists
    from cntnr_compose.client.resources import list_containers, network_endpoints
    from cntnr_compose.networks.records import network_id

    for kind in filters.get("type", ()):
        if kind not in TYPES:
            raise resource_lists.FilterInvalid(f"type={kind}", "it can be custom or builtin")
    dangling = resource_lists.parse_truth("dangling", filters.get("dangling", ()))
    known = (("driver", ("bridge",)), ("scope", ("local",)))
    if any(value not in names for name, names in known for value in filters.get(name, ())):
        return []
    containers = list_containers() if dangling is not None else []
    return [
        network
        for network in networks
        if _type_of(network) in filters.get("type", TYPES)
        and resource_lists.matches_text(network.found.name, filters.get("name", ()))
        and resource_lists.matches_text(network_id(network), filters.get("id", ()))
        and resource_lists.matches_labels(network.found.labels, filters)
        and (dangling is None or dangling is not bool(network_endpoints(network, containers)))
    ]


def _type_of(network: "ManagedNetwork") -> str:
    from cntnr_compose.core.names import DEFAULT_NETWORK

    return "builtin" if network.found.name == DEFAULT_NETWORK else "custom"


def json_object(network: "ManagedNetwork", identity: str) -> "Tree":
    """Make the JSON object of a network, with docker's keys."""
    from cntnr_compose.cli.flows.resource_lists import join_labels

    created = time.gmtime(network.found.created)
    return {
        "CreatedAt": time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC", created),
        "Driver": "bridge",
        "ID": identity,
        "IPv4": "true",
        "IPv6": "false",
        "Internal": str(network.found.internal).lower(),
        "Labels": join_labels(network.found.labels),
        "Name": network.found.name,
        "Scope": "local",
    }
