"""Set up and tear down what a container needs between create and delete: bundle, runtime, names, ports."""

import contextlib
import os
import signal
from collections.abc import Collection, Mapping

from cntnr_compose.containers.bundle import bundle, etc_files
from cntnr_compose.containers.logs.drivers import parse_logging
from cntnr_compose.containers.runtime import conmon, oci_runtime, ports, runc
from cntnr_compose.containers.state import records
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core import paths
from cntnr_compose.core.events import Emit, WarningEvent
from cntnr_compose.core.values import Tree, Value
from cntnr_compose.host import distribution, files, mounts, process, signals
from cntnr_compose.model.observed import Record
from cntnr_compose.networks import address_claims, cni, interfaces
from cntnr_compose.networks import records as network_records
from cntnr_compose.networks.dns import dnsmasq, embedded_dns
from cntnr_compose.volumes import store


class SetupResult(Value, frozen=True, kw_only=True):
    """What is known of a container whose program can start."""

    pid: int
    conmon: int
    addresses: dict[str, str]  # by network


async def set_up(context: ProjectContext, record: Record, emit: Emit) -> SetupResult:
    """Create bundle, container and names. After a failure call `undo_set_up`."""
    async with context.worker_slots:
        result = await bundle.create_bundle(context, record)
        for line in result.warnings:
            emit(WarningEvent(text=line))
        pid, monitor = await _create_in_runtime(record, result)
    if result.dns_address:
        await redirect_dns_queries(record, pid, result.dns_address, emit)
    addresses = cni.read_addresses(paths.bundle(record.id))
    if addresses:
        etc_files.write_hosts(record, addresses)
        register_names(record, addresses)
    note_use(record, addresses)
    return SetupResult(pid=pid, conmon=monitor, addresses=addresses)


async def redirect_dns_queries(
    record: Record, pid: int, redirect: embedded_dns.DnsRedirect, emit: Emit
) -> None:
    """Redirect 127.0.0.11 in a container to its resolver, and warn where that fails."""
    error = await embedded_dns.redirect_queries(pid, redirect)
    if error:
        text = f"{embedded_dns.ADDRESS} does not answer in container {record.name}: {error}"
        emit(WarningEvent(text=text))


async def _create_in_runtime(record: Record, result: bundle.BundleResult) -> tuple[int, int]:
    service = record.definition
    logging = parse_logging(service.logging)
    options = conmon.ConmonOptions(
        id=record.id,
        name=record.name,
        bundle=str(paths.bundle(record.id)),
        log=str(paths.container_log(record.project, record.id)),
        tty=service.tty,
        stdin=service.stdin_open,
        keeps_stdin=service.stdin_open and (record.keeps_stdin or not record.oneoff),
        has_own_network=result.has_own_network,
        log_driver=logging.driver,
        uses_journal=logging.uses_journal and distribution.has_journal(),
        max_log_size=logging.max_size,
        runtime=oci_runtime.find_runtime(record.runtime),
        has_cgroup=result.has_cgroup,
        no_new_keyring=service.engine.no_new_keyring,
        no_pivot=service.engine.no_pivot,
    )
    try:
        return await conmon.create(options)
    except runc.ContainerFailed as error:
        cause = cni.read_failure(paths.bundle(record.id))
        raise (runc.ContainerFailed(record.name, cause) if cause else error) from None


def register_names(record: Record, addresses: Mapping[str, str]) -> None:
    """Make a container's names resolve on its networks."""
    names = etc_files.list_dns_names(record)
    for network, address in addresses.items():
        dnsmasq.add_names(network, record.id, address, names[network])


async def undo_set_up(context: ProjectContext, record: Record) -> None:
    """Remove what a set-up has left, wherever it was cut off."""
    await conmon.abandon_create(record.id)
    await tear_down(context, record, cni.read_addresses(paths.bundle(record.id)))


def note_use(record: Record, networks: Collection[str]) -> None:
    """Note for `events` that a container has mounted its volumes, and is connected to networks."""
    for point in record.mounts:
        if point.type == "volume":
            access = {"read/write": "false" if point.read_only else "true", "propagation": ""}
            access |= {"destination": point.target, "container": record.id}
            store.note_event("mount", point.source, **access)
    for name in networks:
        note_network_use("connect", name, record)


def note_end_of_use(record: Record, networks: Collection[str]) -> None:
    """Note for `events` that a container has left its networks and volumes."""
    for name in networks:
        note_network_use("disconnect", name, record)
    for point in record.mounts:
        if point.type == "volume":
            store.note_event("unmount", point.source, container=record.id)


def note_network_use(action: str, name: str, record: Record) -> None:
    """Note for `events` that a container is connected to a network, or disconnected."""
    network = network_records.find_network(name)
    if network is not None:
        network_records.note_event(action, network, container=record.id)


async def tear_down(context: ProjectContext, record: Record, addresses: Mapping[str, str]) -> None:
    """Remove all that was set up, killing what still runs; each part even when another one fails."""
    identity = record.id
    async with contextlib.AsyncExitStack() as cleanup:  # last in, first out
        cleanup.callback((conmon.exit_folder() / identity).unlink, missing_ok=True)
        cleanup.callback(bundle.remove_bundle, record)
        for network in record.networks.values():
            cleanup.callback(address_claims.mark_stopped, network, identity)
        cleanup.callback(interfaces.release_leases, identity, addresses)
        cleanup.push_async_callback(_delete_runtime_state, context, identity)
        if record.definition.pid:  # another's pid namespace does not end with the first process
            cleanup.callback(signals.kill_by_root, paths.bundle(identity) / "rootfs")
        for network in record.networks.values():
            cleanup.callback(dnsmasq.remove_names, network, identity)
        if record.definition.ports:
            # Looked up: a supervisor that was killed or cancelled may have published more than it noted.
            cleanup.push_async_callback(_unpublish_ports, addresses)


def remove_files(record: Record, *, volumes: bool) -> None:
    """Remove record, claims on addresses and, on request, anonymous volumes of a container that has ended."""
    for network in record.networks.values():
        address_claims.release_address(network, record.id)
    # The record, which names the volumes, goes last.
    for point in record.mounts:
        if volumes and point.anonymous:
            store.remove_volume(point.source)
    records.remove(record)


def find_unrecorded(project: str, known: Collection[str]) -> list[str]:
    """List the ids of containers that run for a project and have no record any more."""
    unrecorded = []
    for identity in (path.name for path in files.find_paths(oci_runtime.state_folder(), "*")):
        if identity not in known:
            spec = files.read_value(paths.bundle(identity) / "config.json", Tree) or {}
            if spec.get("annotations", {}).get(bundle.PROJECT_ANNOTATION) == project:
                unrecorded.append(identity)
    return unrecorded


async def tear_down_unrecorded(context: ProjectContext, identity: str) -> None:
    """Tear down a container that has no record."""
    folder = paths.bundle(identity)
    await conmon.abandon_create(identity)
    addresses = cni.read_addresses(folder)
    async with contextlib.AsyncExitStack() as cleanup:
        cleanup.callback(files.remove_tree, folder)
        cleanup.callback(mounts.unmount_all, folder)
        cleanup.callback(interfaces.release_leases, identity, {})
        cleanup.push_async_callback(_delete_runtime_state, context, identity)
        for network in context.networks.list_networks():
            cleanup.callback(address_claims.release_address, network.found.name, identity)
            cleanup.callback(dnsmasq.remove_names, network.found.name, identity)
        cleanup.push_async_callback(_unpublish_ports, addresses)


async def _unpublish_ports(addresses: Mapping[str, str]) -> None:
    await ports.unpublish_ports(await ports.find_published_ports(addresses))


async def _delete_runtime_state(context: ProjectContext, identity: str) -> None:
    pid = oci_runtime.read_pid(identity)
    async with context.worker_slots:
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            await signals.wait_for_exit(pid)
        await process.run_shielded(runc.delete(identity))
