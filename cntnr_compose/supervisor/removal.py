"""Remove networks and volumes that no project owns: a process inside the holder, started by a command.

Bridges and the owners of volumes' files exist only there. It reads one `RemovalRequest` as a line from
standard input, and writes a `RemovalResult` a line to standard output.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator

from cntnr_compose.containers.state import plain_records, records
from cntnr_compose.containers.state.volume_usage import volume_users
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes, from_json, to_json
from cntnr_compose.host import process
from cntnr_compose.model.removal import RemovalRequest, RemovalResult
from cntnr_compose.networks import records as network_records
from cntnr_compose.networks.manager import NetworkManager
from cntnr_compose.volumes import store


class NetworkInUse(CntnrError):
    """Containers are attached to a network that is to be removed."""

    hint = "stop these containers first, or run `cntnr compose down` in their project"

    def __init__(self, name: str, containers: list[str]) -> None:
        endpoints = ", ".join(containers)
        super().__init__(
            f"error while removing network: network {name} has active endpoints ({endpoints})"
        )


class VolumeInUse(CntnrError):
    """Containers mount a volume that is to be removed."""

    hint = "remove these containers first; `cntnr compose ps -a` lists those of a project"

    def __init__(self, name: str, containers: list[str]) -> None:
        super().__init__(f"remove {name}: volume is in use - [{', '.join(containers)}]")


def main() -> None:
    """Remove what the request names, each also where another one fails."""
    request = from_json(sys.stdin.buffer.readline(), RemovalRequest)
    process.use_pidfd_child_watcher()
    for name in request.networks:
        _answer(name, _remove_network)
    for name in request.volumes:
        _answer(name, _remove_volume)
    sys.stdout.flush()


def _answer(name: str, remove: Callable[[str], Bytes]) -> None:
    try:
        result = RemovalResult(name=name, size=remove(name))
    except CntnrError as error:
        result = RemovalResult(name=name, error=str(error), hint=error.hint)
    except OSError as error:
        user_error = paths.explain_os_error(error)
        result = RemovalResult(name=name, error=str(user_error or error))
    sys.stdout.write(to_json(result).decode() + "\n")


def _remove_network(name: str) -> Bytes:
    """Remove bridge, rules, DNS server and files of a network. Raises `NetworkInUse`, `NetworkStays`."""
    attached = network_records.attached_containers(name)
    if attached:
        raise NetworkInUse(name, list(_describe_endpoints(attached)))
    # First, so that no supervisor brings it up again.
    network_records.remove_defined(name)
    network = network_records.find_network(name)
    if network is not None:
        asyncio.run(NetworkManager(network.found.project).remove_network(name))
    return 0


def _describe_endpoints(identities: list[str]) -> Iterator[str]:
    names = {
        container.record.id: container.name
        for project in plain_records.list_projects()
        for container in records.read_containers(project)
    }
    for identity in identities:
        yield f'name:"{names.get(identity, "")}" id:"{identity[:12]}"'


def _remove_volume(name: str) -> Bytes:
    """Remove a volume; return the size of its files. Raises `VolumeInUse`."""
    users = volume_users(name)
    if users:
        raise VolumeInUse(name, [record.id for record in users])
    size = _measure(name)
    store.remove_volume(name)
    return size


def _measure(name: str) -> Bytes:
    """Add up the sizes of a volume's files."""
    size = 0
    for folder, _, names in os.walk(paths.volume(name) / "_data"):
        for entry in names:
            try:
                size += os.lstat(os.path.join(folder, entry)).st_size  # noqa: PTH118 - many of them
            except OSError:
                continue
    return size
