"""List, create and remove networks and volumes from outside the holder, whatever project they belong to."""

import contextlib
import hashlib
import os
import sys
from collections.abc import Collection, Iterable

from cntnr_compose.containers.state import plain_records
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.names import DEFAULT_NETWORK
from cntnr_compose.core.values import Value, from_json, replace, to_json
from cntnr_compose.host import files, process
from cntnr_compose.host.namespaces import holder, rootlesskit
from cntnr_compose.model.observed import Container, ObservedVolume
from cntnr_compose.model.project import Network, Volume
from cntnr_compose.model.removal import RemovalRequest, RemovalResult
from cntnr_compose.networks import address_claims, cni
from cntnr_compose.networks import records as network_records
from cntnr_compose.networks.records import ManagedNetwork, network_id
from cntnr_compose.volumes import store

REMOVAL_CODE = "from cntnr_compose.supervisor.removal import main; main()"
# Docker's own networks, which exist as modes here.
PREDEFINED_NETWORKS = (DEFAULT_NETWORK, "host", "none", "default")
REMOVAL_REFUSED = "{} is a pre-defined network and cannot be removed"


class NetworkExists(CntnrError):
    """There is a network of the name already."""

    hint = "`cntnr network ls` lists all networks; `cntnr network rm` removes them"

    def __init__(self, name: str) -> None:
        super().__init__(f"network with name {name} already exists")


class NetworkPredefined(CntnrError):
    """The name of a network is one of docker's own."""

    hint = "choose another name; a service has these as `network_mode`"

    def __init__(self, name: str) -> None:
        super().__init__(f"operation is not permitted on predefined {name} network")


class NoSuchNetwork(CntnrError):
    """There is no network of the name or id."""

    hint = "`cntnr network ls` lists all networks"

    def __init__(self, name: str) -> None:
        super().__init__(f"network {name} not found")


class NoSuchVolume(CntnrError):
    """There is no volume of the name."""

    hint = "`cntnr volume ls` lists all volumes"

    def __init__(self, name: str) -> None:
        super().__init__(f"get {name}: no such volume")


class NetworkAmbiguous(CntnrError):
    """More than one network has an id that begins with a text."""

    def __init__(self, name: str, count: int) -> None:
        super().__init__(f"network {name} is ambiguous ({count} matches found on ID prefix)")


class RemovalFailed(CntnrError):
    """The process that removes networks and volumes ended without an answer."""

    def __init__(self, names: Iterable[str], stderr: str) -> None:
        last = stderr.strip().rpartition("\n")[2] or "the process was killed"
        super().__init__(f"cannot remove {', '.join(names)}: {last}")


class Endpoint(Value, frozen=True, kw_only=True):
    """A running container on a network."""

    container: Container
    address: str
    mac: str = ""


def endpoint_id(network: str, container_id: str) -> str:
    """Return the id of a container's endpoint on a network, 64 hexadecimal digits as docker's."""
    return hashlib.sha256(f"{network} {container_id}".encode()).hexdigest()


def list_networks() -> list[ManagedNetwork]:
    """List all networks of this user: of projects that are up, and those that were created by hand."""
    return network_records.list_all(holder.proc_root_path(network_records.records_folder()))


def find_network(name: str) -> ManagedNetwork:
    """Find a network by its name, its id, or the beginning of its id.

    Raises `NoSuchNetwork`, `NetworkAmbiguous`.
    """
    networks = list_networks()
    for network in networks:
        if name in (network.found.name, network_id(network)):
            return network
    matches = [network for network in networks if name and network_id(network).startswith(name)]
    if len(matches) > 1:
        raise NetworkAmbiguous(name, len(matches))
    if not matches:
        raise NoSuchNetwork(name)
    return matches[0]


def list_containers() -> list[Container]:
    """List the containers of all projects."""
    from cntnr_compose.client.observe import read_containers

    return [one for project in plain_records.list_projects() for one in read_containers(project)]


def network_endpoints(network: ManagedNetwork, containers: Iterable[Container]) -> list[Endpoint]:
    """List those of the containers that run on a network."""
    name = network.found.name
    endpoints = []
    for container in containers:
        address = container.status.addresses.get(name)
        if address and container.status.pid:
            mac = _mac_address(container.record.id, address)
            endpoints.append(Endpoint(container=container, address=address, mac=mac))
    return endpoints


def _mac_address(identity: str, address: str) -> str:
    bundle = holder.proc_root_path(paths.bundle(identity))
    for result in cni.read_results(bundle).values() if bundle else ():
        if any(ip.address.partition("/")[0] == address for ip in result.ips):
            return next((end.mac for end in result.interfaces if end.sandbox), "")
    return ""


def create_network(network: Network) -> ManagedNetwork:
    """Define a network that belongs to no project; its bridge is created when a container needs it.

    Raises `NameInvalid`, `NetworkExists`, `NetworkPredefined`, `NetworkDriverUnknown`, `OptionInvalid`,
    `SubnetTaken`, `SubnetInvalid`, `ConflistInvalid`, `PluginMissing`, `HomeNotWritable`.
    """
    from cntnr_compose.core import names
    from cntnr_compose.networks import bridge_plan

    if network.name in PREDEFINED_NETWORKS:
        raise NetworkPredefined(network.name)
    names.check_name("network", network.name)
    bridge_plan.check_driver(network)
    with contextlib.ExitStack() as locks:
        locks.enter_context(files.file_lock(paths.make_data_folder(paths.networks()) / ".lock"))
        lock = holder.proc_root_path(address_claims.lock_file())
        if lock is not None and lock.parent.is_dir():  # else no network has a bridge
            locks.enter_context(files.file_lock(lock))
        others = list_networks()
        if any(other.found.name == network.name for other in others):
            raise NetworkExists(network.name)
        running = holder.find_holder()
        planned = bridge_plan.plan_network(
            network, "", "", network.labels, others, running.child if running else 0
        )
        network_records.write_defined(planned)
    return planned


def remove_networks(names: Collection[str]) -> list[RemovalResult]:
    """Remove networks by name; each also where another one fails. Docker's own stay."""
    stay = [name for name in names if name in PREDEFINED_NETWORKS]
    refused = [RemovalResult(name=name, error=REMOVAL_REFUSED.format(name)) for name in stay]
    others = [name for name in names if name not in stay]
    return [*refused, *_remove_networks(others)] if others else refused


def _remove_networks(names: Collection[str]) -> list[RemovalResult]:
    running = holder.find_holder()
    if running is not None:
        with rootlesskit.running_holder("network-rm"):
            return _remove_inside(RemovalRequest(networks=tuple(names)))
    for name in names:
        network_records.remove_defined(name)  # no network has a bridge
    return [RemovalResult(name=name) for name in names]


def create_volume(volume: Volume) -> str:
    """Create a volume that belongs to no project, unless there is one of the name; return its name.

    One without a name is anonymous, and gets one. Raises `NameInvalid`, `VolumeRefused`,
    `VolumeOptionInvalid`, `HomeNotWritable`.
    """
    store.check_options(volume)
    anonymous = not volume.name
    if anonymous:
        labels = {**volume.labels, store.ANONYMOUS_LABEL: ""}
        volume = replace(volume, name=os.urandom(32).hex(), labels=labels)
    if store.find_volume(volume.name) is None:
        store.create_volume(volume, "", volume.labels, "", anonymous=anonymous)
    return volume.name


def find_volume(name: str) -> ObservedVolume:
    """Find a volume by its name. Raises `NoSuchVolume`."""
    volume = store.find_volume(name) if name else None
    if volume is None:
        raise NoSuchVolume(name)
    return volume


def used_volumes() -> frozenset[str]:
    """Return the names of the volumes that containers mount, running or not."""
    mounts = (mount for container in list_containers() for mount in container.record.mounts)
    return frozenset(mount.source for mount in mounts if mount.type == "volume")


def remove_volumes(names: Collection[str]) -> list[RemovalResult]:
    """Remove volumes by name; each also where another one fails."""
    if not names:
        return []
    with rootlesskit.temporary_holder("volume-rm"):
        return _remove_inside(RemovalRequest(volumes=tuple(names)))


def _remove_inside(request: RemovalRequest) -> list[RemovalResult]:
    """Run the process that removes inside the holder. Raises `RemovalFailed`."""
    running = holder.find_holder()
    assert running is not None
    argv = running.nsenter_argv([sys.executable, "-P", "-c", REMOVAL_CODE])
    env = {**os.environ, "PATH": process.search_path()}
    done = process.run(argv, env=env, stdin=to_json(request) + b"\n", ok=range(-64, 256))
    if done.returncode != 0:
        raise RemovalFailed((*request.networks, *request.volumes), done.stderr)
    return [from_json(line, RemovalResult) for line in done.stdout.splitlines()]
