"""Repair networks: bridges, addresses, firewall rules and DNS servers that are missing are created again."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds
from cntnr_compose.host import files
from cntnr_compose.networks import cni, ip_nft, records
from cntnr_compose.networks.dns import dnsmasq
from cntnr_compose.networks.dns.dnsmasq import DnsView
from cntnr_compose.networks.records import ManagedNetwork

LOCK_INTERVAL: Seconds = 0.02  # between two attempts to take the lock of shared networks


@contextlib.asynccontextmanager
async def lock_of_shared(*networks: ManagedNetwork) -> AsyncIterator[None]:
    """Keep other processes from changing networks of no project, where there are some among the networks."""
    if all(network.found.project for network in networks):
        yield
        return
    records.records_folder().mkdir(parents=True, exist_ok=True)
    path = records.records_folder() / "shared.lock"
    while (descriptor := files.acquire_lock(path)) is None:  # noqa: ASYNC110 - another process has it
        await asyncio.sleep(LOCK_INTERVAL)
    try:
        yield
    finally:
        os.close(descriptor)


async def apply_rules(network: ManagedNetwork) -> None:
    name = network.found.name
    table = ip_nft.table_name(network.found.project, name)
    await ip_nft.apply_nft_rules(name, table, records.bridges_beside(network))


async def repair_networks(networks: list[ManagedNetwork], *, rules: bool) -> list[CntnrError]:
    """Repair networks, and the tables of their rules on request; return what failed."""
    errors: list[CntnrError] = []
    by_table: dict[str, ManagedNetwork] = {}
    for network in networks:
        by_table.setdefault(ip_nft.table_name(network.found.project, network.found.name), network)
        try:
            await _repair_network(network)
        except CntnrError as error:
            errors.append(error)
    for network in by_table.values() if rules else ():
        try:
            await apply_rules(network)
        except CntnrError as error:
            errors.append(error)
    return errors


async def _repair_network(network: ManagedNetwork) -> None:
    name, views = network.found.name, network.views.values()
    extra_addresses = [view.address for view in views]
    if not ip_nft.is_bridge_complete(network.bridge, extra_addresses):
        ports = _bridge_ports(network)
        await ip_nft.repair_bridge(name, network.bridge, extra_addresses, ports)
    for view in (network_view(network), *views):
        if not dnsmasq.is_running(view.name):
            await dnsmasq.start(view)


def _bridge_ports(network: ManagedNetwork) -> list[str]:
    """List the host ends of containers' interfaces on a bridge, from the results of the CNI plugins."""
    bridge = network.bridge.name
    return [
        interface.name
        for identity in records.attached_containers(network.found.name)
        for result in cni.read_results(paths.bundle(identity)).values()
        if any(interface.name == bridge for interface in result.interfaces)
        for interface in result.interfaces
        if not interface.sandbox and interface.name != bridge
    ]


def network_view(network: ManagedNetwork) -> DnsView:
    """Return the view of one network's names, which listens on its gateway."""
    name = network.found.name
    return DnsView(
        name=name,
        address=network.found.gateway,
        networks=(name,),
        closed=network.bridge.internal,
    )
