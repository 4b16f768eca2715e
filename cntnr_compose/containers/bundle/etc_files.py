"""Write hosts, resolv.conf and hostname of a container into its bundle; they are mounted over the image's."""

import socket
from pathlib import Path

from cntnr_compose.containers.bundle import links
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core import paths
from cntnr_compose.core.names import DEFAULT_NETWORK
from cntnr_compose.host import network
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import NetworkAttachment, Service
from cntnr_compose.networks.dns import name_files
from cntnr_compose.networks.manager import ResolverRequest

HOST_GATEWAY = "host-gateway"


def sort_networks(service: Service) -> list[tuple[str, NetworkAttachment]]:
    """Sort a service's networks by priority, then by name, as docker attaches them."""
    return sorted(service.networks.items(), key=lambda one: (-one[1].priority, one[0]))


def choose_hostname(record: Record, network_owner: Record | None = None) -> str:
    """Return the hostname of a container: its own, else that of the container whose network it shares."""
    service = record.definition
    if service.hostname:
        return service.hostname
    if network_owner is not None:
        return choose_hostname(network_owner)
    return socket.gethostname() if service.network_mode == "host" else record.id[:12]


def write_etc_files(
    record: Record, bundle: Path, network_owner: Record | None, resolver: str
) -> dict[str, str]:
    """Write hosts, resolv.conf and hostname; a container that shares a network shares these as well."""
    names = ("hosts", "resolv.conf", "hostname")
    if network_owner is not None:
        return {
            f"/etc/{name}": str(paths.bundle(network_owner.id) / "etc" / name) for name in names
        }
    write_hosts(record, {})
    (bundle / "etc/hostname").write_text(f"{choose_hostname(record)}\n")
    (bundle / "etc/resolv.conf").write_text(_resolv_conf(record, resolver))
    return {f"/etc/{name}": str(bundle / "etc" / name) for name in names}


def write_hosts(record: Record, addresses: dict[str, str]) -> None:
    """Write /etc/hosts in place, since it is mounted already when the addresses are known."""
    service = record.definition
    names = name_files.own_names(choose_hostname(record), service.domainname)
    entries = [
        (network.host_address() if to == HOST_GATEWAY else to, host)
        for host, values in service.extra_hosts.items()
        for to in values
    ]
    entries += [(address, names) for address in addresses.values()]
    if service.network_mode == "host":
        entries.append(("127.0.1.1", names))
    (paths.bundle(record.id) / "etc/hosts").write_text(name_files.hosts_text(entries))


async def ensure_resolver(context: ProjectContext, record: Record) -> str:
    """Return the address of the resolver of a container's networks; empty if it has no networks."""
    service = record.definition
    if not service.networks:
        return ""
    names = tuple(record.networks[key] for key, _ in sort_networks(service))
    aliases = links.parse_link_aliases(service, record.project)
    request = ResolverRequest(networks=names, upstream=service.dns, aliases=aliases)
    return await context.networks.ensure_resolver(request, context.requested_addresses())


def write_resolv_conf(record: Record, resolver: str) -> None:
    """Write /etc/resolv.conf in place, for a container that has it mounted."""
    (paths.bundle(record.id) / "etc/resolv.conf").write_text(_resolv_conf(record, resolver))


def _resolv_conf(record: Record, resolver: str) -> str:
    service = record.definition
    if service.network_mode == "host":
        return network.host_resolv_conf()
    if not resolver:
        return ""
    options = ["ndots:0", "timeout:1", "attempts:3"]
    options = [one for one in options if one.partition(":")[0] not in _option_names(service)]
    return name_files.resolv_conf_text([resolver], service.dns_search, [*options, *service.dns_opt])


def _option_names(service: Service) -> set[str]:
    return {option.partition(":")[0] for option in service.dns_opt}


def list_dns_names(record: Record) -> dict[str, list[str]]:
    """List the DNS names of a container, by network.

    A one-off has its own name only, and the aliases that `run --use-aliases` put into its networks.
    On docker's default network only links find a container.
    """
    service = record.definition
    common_names = [record.name, record.id[:12]]
    if not record.oneoff:
        common_names.append(record.service)
    names = {
        record.networks[key]: list(dict.fromkeys([*common_names, *attachment.aliases]))
        for key, attachment in service.networks.items()
    }
    own = [] if record.oneoff else [links.qualify_service_name(record.service, record.project)]
    return {
        network: [*map(links.qualify_name, each)]
        if network == DEFAULT_NETWORK
        else [*each, *own, *map(links.qualify_name, each)]
        for network, each in names.items()
    }
