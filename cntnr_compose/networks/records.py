"""Records of networks: one JSON file a network in the holder's tmpfs, which dies with it as bridges do."""

from pathlib import Path

from cntnr_compose.core import names, paths
from cntnr_compose.core.values import Value, field
from cntnr_compose.host import files
from cntnr_compose.model.observed import ObservedNetwork
from cntnr_compose.networks.dns import dnsmasq
from cntnr_compose.networks.dns.dnsmasq import DnsView
from cntnr_compose.networks.ip_nft import Bridge


class ManagedNetwork(Value, frozen=True, kw_only=True):
    """A network of the holder: how it is observed, its bridge, its addresses, its DNS servers."""

    found: ObservedNetwork
    bridge: Bridge
    first: str = ""  # the range of container addresses
    last: str = ""
    kept: tuple[str, ...] = ()  # addresses that containers do not get: aux_addresses
    leaving: bool = False  # removed as soon as no container is attached
    views: dict[str, DnsView] = field(default_factory=dict)  # that listen on this network


def records_folder() -> Path:
    """Return the folder of all records."""
    return paths.holder_tmpfs() / "networks"


def _file(name: str) -> Path:
    return records_folder() / f"{names.safe_path_part(name, 'network')}.json"


def find_network(name: str) -> ManagedNetwork | None:
    """Find a network of any project by its name on the host."""
    network = files.read_value(_file(name), ManagedNetwork)
    return network if network is not None and network.found.name == name else None


def list_networks() -> list[ManagedNetwork]:
    """List the networks of all projects."""
    networks = (find_network(path.stem) for path in sorted(records_folder().glob("*.json")))
    return [network for network in networks if network is not None]


def networks_of(project: str) -> list[ManagedNetwork]:
    """List the networks of a project."""
    return [network for network in list_networks() if network.found.project == project]


def bridges_of(project: str) -> list[Bridge]:
    """List the bridges of a project's networks."""
    return [network.bridge for network in networks_of(project)]


def write_network(network: ManagedNetwork) -> None:
    """Write a network's record."""
    files.write_value(_file(network.found.name), network)


def remove_record(name: str) -> None:
    """Remove a network's record; absent is fine."""
    _file(name).unlink(missing_ok=True)


def attached_containers(name: str) -> list[str]:
    """List the containers that have an address on a network, by id."""
    return sorted(path.name for path in dnsmasq.hosts_folder(name).glob("*"))
