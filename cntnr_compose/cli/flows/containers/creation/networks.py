"""Find the networks that a new container names, and the containers whose namespaces it shares."""

from typing import TYPE_CHECKING, Any

from cntnr_compose.core.names import DEFAULT_NETWORK

if TYPE_CHECKING:
    from cntnr_compose.model.service import Service

CONTAINER_PREFIX = "container:"


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


def find_namespace_owners(service: "Service") -> "Service":
    """Return a service with the ids of the containers whose namespaces and mounts it shares.

    Raises `NoSuchContainer`, `ContainerAmbiguous`.
    """
    modes = {key: getattr(service, key) for key in ("network_mode", "pid", "ipc")}
    changes: dict[str, Any] = {
        key: _with_id(mode) for key, mode in modes.items() if mode.startswith(CONTAINER_PREFIX)
    }
    if service.volumes_from:
        changes["volumes_from"] = tuple(map(_with_id, service.volumes_from))
    if not changes:
        return service
    from cntnr_compose.core.values import replace

    return replace(service, **changes)


def _with_id(mode: str) -> str:
    """Replace the name in ``container:NAME[:ro]`` by the container's id."""
    from cntnr_compose.cli.project.any_container import match_reference
    from cntnr_compose.containers.state.records import list_keys

    name, colon, access = mode.removeprefix(CONTAINER_PREFIX).partition(":")
    return f"{CONTAINER_PREFIX}{match_reference(name, list_keys()).id}{colon}{access}"
