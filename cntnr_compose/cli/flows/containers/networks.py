"""Find the networks that a new container names."""

from typing import TYPE_CHECKING

from cntnr_compose.core.names import DEFAULT_NETWORK

if TYPE_CHECKING:
    from cntnr_compose.model.service import Service


def find_networks(service: "Service") -> "Service":
    """Return a service with the names of its networks, which may be called by their ids.

    Raises `NoSuchNetwork`, `NetworkAmbiguous`.
    """
    if not service.networks.keys() - {DEFAULT_NETWORK}:
        return service
    from cntnr_compose.client.resources import find_network
    from cntnr_compose.core.values import replace

    networks = {
        name if name == DEFAULT_NETWORK else find_network(name).found.name: attachment
        for name, attachment in service.networks.items()
    }
    return replace(service, networks=networks)
