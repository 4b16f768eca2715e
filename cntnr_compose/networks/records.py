"""Records of networks: one JSON file a network.

Those that have a bridge are recorded in the holder's tmpfs, which dies with it as bridges do. Those that were
created by hand (`cntnr network create`) belong to no project and are defined by a file of the same form among
the user's data: the first supervisor whose containers need one records it and creates its bridge.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.core import names, paths
from cntnr_compose.core.values import Value, field
from cntnr_compose.host import event_log, files
from cntnr_compose.model.observed import ObservedNetwork
from cntnr_compose.model.project import Network
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
    requested: Network | None = None  # as it was asked for; records of older versions have none


def records_folder() -> Path:
    """Return the folder of all records, as it is called inside the holder."""
    return paths.holder_tmpfs() / "networks"


def _file(name: str, folder: Path | None = None) -> Path:
    return (folder or records_folder()) / f"{names.safe_path_part(name, 'network')}.json"


def find_network(name: str, folder: Path | None = None) -> ManagedNetwork | None:
    """Find a network that has a bridge, of any project or of none, by its name on the host.

    ``folder`` is that of the records, for callers outside the holder.
    """
    network = files.read_value(_file(name, folder), ManagedNetwork)
    return network if network is not None and network.found.name == name else None


def list_networks(folder: Path | None = None) -> list[ManagedNetwork]:
    """List the networks that have a bridge; ``folder`` as for `find_network`."""
    return list(_read_folder(folder or records_folder()))


def _read_folder(folder: Path) -> Iterator[ManagedNetwork]:
    for path in files.find_paths(folder, "*.json"):
        network = find_network(path.stem, folder)
        if network is not None:
            yield network


def find_defined(name: str) -> ManagedNetwork | None:
    """Find a network that was created by hand, whether it has a bridge or not."""
    return find_network(name, paths.networks())


def list_defined() -> list[ManagedNetwork]:
    """List the networks that were created by hand."""
    return list_networks(paths.networks())


def list_all(folder: Path | None = None) -> list[ManagedNetwork]:
    """List the networks that have a bridge and those that were created by hand, each once, by name.

    ``folder`` as for `find_network`.
    """
    networks = {network.found.name: network for network in list_defined()}
    networks |= {network.found.name: network for network in list_networks(folder)}
    return [networks[name] for name in sorted(networks)]


def write_defined(network: ManagedNetwork) -> None:
    """Write the file of a network that was created by hand."""
    folder = paths.make_data_folder(paths.networks())
    files.write_value(_file(network.found.name, folder), network)
    files.sync(_file(network.found.name, folder))
    note_event("create", network)


def remove_defined(name: str) -> None:
    """Remove the file of a network that was created by hand; absent is fine."""
    network = find_defined(name)
    _file(name, paths.networks()).unlink(missing_ok=True)
    if network is not None:
        note_event("destroy", network)


def networks_of(project: str) -> list[ManagedNetwork]:
    """List the networks of a project."""
    return [network for network in list_networks() if network.found.project == project]


def bridges_beside(network: ManagedNetwork) -> list[Bridge]:
    """List the bridges whose rules are in one table with a network's: those of its project, or itself."""
    if not network.found.project:
        return [network.bridge]
    return [other.bridge for other in networks_of(network.found.project)]


def write_network(network: ManagedNetwork) -> None:
    """Write a network's record."""
    files.write_value(_file(network.found.name), network)


def remove_record(name: str) -> None:
    """Remove a network's record; absent is fine."""
    _file(name).unlink(missing_ok=True)


def network_id(network: ManagedNetwork) -> str:
    """Return the id of a network, 64 hexadecimal digits as docker's."""
    text = f"{network.found.name} {network.found.created}"
    return hashlib.sha256(text.encode()).hexdigest()


def note_event(action: str, network: ManagedNetwork, **attributes: str) -> None:
    """Note what became of a network, for `events`."""
    described = {"name": network.found.name, "type": "bridge", **attributes}
    event_log.note_resource_event("network", action, network_id(network), described)


def attached_containers(name: str) -> list[str]:
    """List the containers that have an address on a network, by id."""
    return [path.name for path in files.find_paths(dnsmasq.hosts_folder(name), "*")]
