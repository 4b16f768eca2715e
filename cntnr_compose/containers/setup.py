"""What there is of a container between `runc create` and its end: how it is made, and how it goes."""

import contextlib
import os
import signal
from collections.abc import Collection, Mapping

from cntnr_compose.containers.bundle import bundle
from cntnr_compose.containers.bundle import etc_files as etcfiles
from cntnr_compose.containers.logs import rotation as logrotation
from cntnr_compose.containers.runtime import ports as publish
from cntnr_compose.containers.runtime import runc
from cntnr_compose.containers.state import records
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core import paths
from cntnr_compose.core.events import Emit, WarningEvent
from cntnr_compose.core.values import Tree, Value
from cntnr_compose.host import files, mounts, process, signals
from cntnr_compose.model.observed import Record
from cntnr_compose.networks import address_claims as claims
from cntnr_compose.networks import cni, interfaces
from cntnr_compose.networks.dns import dnsmasq
from cntnr_compose.networks.dns import embedded_dns as nameserver
from cntnr_compose.volumes import store


class SetupResult(Value, frozen=True, kw_only=True):
    """A container whose program can start."""

    pid: int
    conmon: int
    addresses: dict[str, str]  # by network


async def set_up(scene: ProjectContext, record: Record, tell: Emit) -> SetupResult:
    """Lay a container out and create it. What breaks off is for `take_back`."""
    async with scene.worker_slots:
        laid = await bundle.create_bundle(scene, record)
        for line in laid.warnings:
            tell(WarningEvent(text=line))
        pid, conmon = await _create_runc_container(record, own_network=laid.has_own_network)
    if laid.dns_address:
        await _start_dns_server(record, pid, laid.dns_address, tell)
    addresses = cni.read_addresses(paths.bundle(record.id))
    if addresses:
        etcfiles.write_hosts(record, addresses)
        register_names(record, addresses)
    return SetupResult(pid=pid, conmon=conmon, addresses=addresses)


async def _start_dns_server(
    record: Record, pid: int, names: nameserver.DnsRedirect, tell: Emit
) -> None:
    why = await nameserver.redirect_queries(pid, names)
    if why:
        text = f"{nameserver.ADDRESS} does not answer in container {record.name}: {why}"
        tell(WarningEvent(text=text))


async def _create_runc_container(record: Record, *, own_network: bool) -> tuple[int, int]:
    service = record.definition
    logging = logrotation.parse_logging(service.logging)
    launch = runc.ConmonOptions(
        id=record.id,
        name=record.name,
        bundle=str(paths.bundle(record.id)),
        log=str(paths.container_log(record.project, record.id)),
        tty=service.tty,
        stdin=service.stdin_open,
        has_own_network=own_network,
        log_driver=logging.driver,
        max_log_size=logging.max_size,
        runtime=service.runtime or "runc",
    )
    try:
        return await runc.create(launch)
    except runc.ContainerFailed as error:
        why = cni.read_failure(paths.bundle(record.id))
        raise (runc.ContainerFailed(record.name, why) if why else error) from None


def register_names(record: Record, addresses: Mapping[str, str]) -> None:
    """Let a container's names resolve on its networks."""
    names = etcfiles.list_dns_names(record)
    for network, address in addresses.items():
        dnsmasq.add_names(network, record.id, address, names[network])


async def undo_set_up(scene: ProjectContext, record: Record) -> None:
    """Remove what was made by half, wherever that broke off."""
    await runc.abandon_create(record.id)
    await tear_down(scene, record, cni.read_addresses(paths.bundle(record.id)))


async def tear_down(scene: ProjectContext, record: Record, addresses: Mapping[str, str]) -> None:
    """Remove all that was made, killing what still runs of it. What fails does not keep the rest."""
    identity = record.id
    async with contextlib.AsyncExitStack() as last_first:
        last_first.callback((runc.exit_folder() / identity).unlink, missing_ok=True)
        last_first.callback(bundle.remove_bundle, record)
        for network in record.networks.values():
            last_first.callback(claims.mark_stopped, network, identity)
        last_first.callback(interfaces.release_leases, identity, addresses)
        last_first.push_async_callback(_delete_runc_state, scene, identity)
        if record.definition.pid:  # others' namespace: it does not end with the first process
            last_first.callback(signals.kill_by_root, paths.bundle(identity) / "rootfs")
        for network in record.networks.values():
            last_first.callback(dnsmasq.remove_names, network, identity)
        if record.definition.ports:
            # Asked for anew: who was killed or cancelled may have published more than he has noted.
            last_first.push_async_callback(_unpublish_ports, addresses)


def remove_files(record: Record, *, volumes: bool) -> None:
    """Remove all that is kept of a container while nothing of it runs; anonymous volumes on request."""
    for network in record.networks.values():
        claims.release_address(network, record.id)
    # The record, which names the volumes, goes last.
    for point in record.mounts:
        if volumes and point.anonymous:
            store.remove_volume(point.source)
    records.remove(record)


def find_unrecorded(project: str, known: Collection[str]) -> list[str]:
    """List what runs for a project and has no record any more, by id."""
    found = []
    for identity in (path.name for path in runc.state_folder().glob("*")):
        if identity not in known:
            spec = files.read_value(paths.bundle(identity) / "config.json", Tree) or {}
            if spec.get("annotations", {}).get(bundle.PROJECT_ANNOTATION) == project:
                found.append(identity)
    return found


async def tear_down_unrecorded(scene: ProjectContext, identity: str) -> None:
    """Remove a container of which nothing but what runs is known."""
    place = paths.bundle(identity)
    await runc.abandon_create(identity)
    addresses = cni.read_addresses(place)
    async with contextlib.AsyncExitStack() as last_first:
        last_first.callback(files.remove_tree, place)
        last_first.callback(mounts.unmount_all, place)
        last_first.callback(interfaces.release_leases, identity, {})
        last_first.push_async_callback(_delete_runc_state, scene, identity)
        for network in scene.networks.list_networks():
            last_first.callback(claims.release_address, network.found.name, identity)
            last_first.callback(dnsmasq.remove_names, network.found.name, identity)
        last_first.push_async_callback(_unpublish_ports, addresses)


async def _unpublish_ports(addresses: Mapping[str, str]) -> None:
    await publish.unpublish_ports(await publish.find_published_ports(addresses))


async def _delete_runc_state(scene: ProjectContext, identity: str) -> None:
    pid = runc.read_pid(identity)
    async with scene.worker_slots:
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            await signals.wait_for_exit(pid)
        await process.run_shielded(runc.delete(identity))
