"""Connect a container to a network and disconnect it: its record, and what follows while it lives."""

from collections.abc import Mapping

from cntnr_compose.containers.bundle.links import DNS_NAME
from cntnr_compose.containers.endpoints import live
from cntnr_compose.containers.endpoints.live import LIVE
from cntnr_compose.containers.run_cycle import RunCycle
from cntnr_compose.containers.state import records
from cntnr_compose.containers.state.lifecycle import ACTIVE
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit
from cntnr_compose.core.names import DEFAULT_NETWORK
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import Record
from cntnr_compose.model.plan import ConnectNetwork, DisconnectNetwork
from cntnr_compose.networks import address_claims, interfaces
from cntnr_compose.networks.records import ManagedNetwork

# Network modes whose containers have no interfaces of their own to add to.
SHARING_MODES = ("host", "service:", "container:")


class WithoutNetworks(CntnrError):
    """A container was created without any network, to stay so."""

    hint = "create it without network mode none"

    def __init__(self, container: str) -> None:
        super().__init__(
            f"container {container} cannot be connected to multiple networks"
            " with one of the networks in private (none) mode"
        )


class NetworkShared(CntnrError):
    """A container has the network of another one, or of the host."""

    hint = "connect the container whose network it is, or create this one with networks of its own"

    def __init__(self, container: str, mode: str) -> None:
        super().__init__(
            "container sharing network namespace with another container or host"
            f" cannot be connected to any other network: {container} has network mode {mode}"
        )


class NetworkGone(CntnrError):
    """The network to connect to does not exist any more."""

    hint = "`cntnr network ls` lists all networks"

    def __init__(self, name: str) -> None:
        super().__init__(f"network {name} not found")


class EndpointExists(CntnrError):
    """The container is on the network already."""

    def __init__(self, container: str, network: str) -> None:
        super().__init__(f"endpoint with name {container} already exists in network {network}")


class NotConnected(CntnrError):
    """The container is not on the network that it is to leave."""

    def __init__(self, container: str, network: str) -> None:
        super().__init__(f"container {container} is not connected to network {network}")


class AliasInvalid(CntnrError):
    """An alias of a container is not a name that can be resolved."""

    hint = "use letters, digits, hyphens and underscores, with dots between them"

    def __init__(self, alias: str) -> None:
        super().__init__(f"invalid network alias {alias!r}")


class OfUserNetworksOnly(CntnrError):
    """An alias or an address is asked for on docker's default network."""

    hint = "`cntnr network create` makes a network that has both"

    def __init__(self) -> None:
        super().__init__(
            f"invalid config for network {DEFAULT_NETWORK}: aliases and chosen addresses are"
            " supported for user-defined networks only"
        )


async def connect(container: RunCycle, op: ConnectNetwork, emit: Emit) -> None:
    """Connect a container to a network; its caller holds the change lock.

    Raises `WithoutNetworks`, `NetworkShared`, `NetworkGone`, `EndpointExists`, `AliasInvalid`,
    `OfUserNetworksOnly`, `AddressRefused`, and what goes wrong with addresses, plugins and ports.
    """
    record = container.record
    _check_mode(record)
    _check_attachment(op)
    network = await _bring_up(container, op.network)
    interfaces.check_address(network, op.attachment.ipv4_address)
    await container.wait_while(ACTIVE - LIVE)
    is_live = container.state in LIVE
    key = _find_key(record.networks, op.network)
    if key is not None and is_live:
        raise EndpointExists(record.name, op.network)
    changed = _with_network(record, key or _free_key(record.networks, op.network), op)
    if is_live:
        await live.attach(container, changed, op.network)
    _write(container, changed)
    if is_live:
        await live.refresh(container, emit)


async def disconnect(container: RunCycle, op: DisconnectNetwork, emit: Emit) -> None:
    """Disconnect a container from a network; its caller holds the change lock.

    Raises `NotConnected`, `DetachFailed`.
    """
    record = container.record
    key = _find_key(record.networks, op.network)
    if key is None:
        raise NotConnected(record.name, op.network)
    await container.wait_while(ACTIVE - LIVE)
    is_live = container.state in LIVE
    if is_live:
        await live.detach(container, op.network, force=op.force)
    address_claims.release_address(op.network, record.id)
    _write(container, _without_network(record, key))
    if is_live:
        await live.refresh(container, emit)


def _check_mode(record: Record) -> None:
    mode = record.definition.network_mode
    if mode == "none":
        raise WithoutNetworks(record.name)
    if mode.startswith(SHARING_MODES):
        raise NetworkShared(record.name, mode)


def _check_attachment(op: ConnectNetwork) -> None:
    """Raise what is wrong with names and address, whatever the network is like."""
    for alias in op.attachment.aliases:
        if not DNS_NAME.fullmatch(alias):
            raise AliasInvalid(alias)
    chosen = op.attachment.aliases or op.attachment.ipv4_address
    if op.network == DEFAULT_NETWORK and chosen:
        raise OfUserNetworksOnly


async def _bring_up(container: RunCycle, name: str) -> ManagedNetwork:
    networks = container.context.networks
    await networks.bring_up_defined([name])
    network = networks.find_network(name)
    if network is None:
        raise NetworkGone(name)
    await networks.repair([name])
    return network


def _find_key(networks: Mapping[str, str], name: str) -> str | None:
    return next((key for key, network in networks.items() if network == name), None)


def _free_key(networks: Mapping[str, str], name: str) -> str:
    """Return the key for a network that the container was not created with: its name, where that is free."""
    key = name
    while key in networks:
        key = f"{key}_"
    return key


def _with_network(record: Record, key: str, op: ConnectNetwork) -> Record:
    service = record.definition
    definition = replace(service, networks={**service.networks, key: op.attachment})
    return replace(record, definition=definition, networks={**record.networks, key: op.network})


def _without_network(record: Record, key: str) -> Record:
    service = record.definition
    kept = {other: attachment for other, attachment in service.networks.items() if other != key}
    names = {other: name for other, name in record.networks.items() if other != key}
    return replace(record, definition=replace(service, networks=kept), networks=names)


def _write(container: RunCycle, record: Record) -> None:
    container.record = record
    records.write_record(record)
