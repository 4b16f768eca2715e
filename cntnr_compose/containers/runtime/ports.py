"""Publish a container's ports on addresses of the host."""

from collections.abc import Mapping, Sequence

from cntnr_compose.containers.state import plain_records, records
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.units import parse_port_range
from cntnr_compose.host import process
from cntnr_compose.model.observed import PublishedPort, Record
from cntnr_compose.model.service import Port
from cntnr_compose.networks import port_driver
from cntnr_compose.networks.port_driver import DriverPort, PortSpec, PortTaken

ANY_IPV4 = "0.0.0.0"
ANY_IPV6 = "::"


class ProtocolUnknown(CntnrError):
    """The protocol of a port cannot be forwarded."""

    def __init__(self, service: str, protocol: str) -> None:
        super().__init__(
            f"cannot publish a port of service {service}: {protocol} cannot be forwarded without root"
        )


async def publish_ports(
    holder_id: str, record: Record, addresses: Mapping[str, str]
) -> tuple[DriverPort, ...]:
    """Publish all ports of a container, or none.

    Raises `PortTaken`, `PortPrivileged`, `AddressUnknown`, `PortRefused`, `ProtocolUnknown`.
    """
    service = record.definition
    if not service.ports or not addresses:
        return ()
    address = next(iter(addresses.values()))
    published: list[DriverPort] = []
    try:
        for port in service.ports:
            published += await _publish_port(holder_id, record, port, address)
    except BaseException:
        await process.clean_up(unpublish_ports(published))
        raise
    return tuple(published)


async def _publish_port(
    holder_id: str, record: Record, port: Port, address: str
) -> list[DriverPort]:
    if port.protocol not in ("tcp", "udp"):
        raise ProtocolUnknown(record.service, port.protocol)
    last_error: PortTaken | None = None
    for number in _candidate_ports(port):
        published: list[DriverPort] = []
        try:
            for host_ip in _host_addresses(port):
                driver_port = await _publish_address(port, host_ip, number, address)
                published.append(driver_port)
        except PortTaken as error:
            await unpublish_ports(published)
            last_error = error
        else:
            return published
    assert last_error is not None
    raise _name_port_owner(holder_id, port, last_error)


def _candidate_ports(port: Port) -> Sequence[int]:
    """Return the host ports to try: replicas of a service take the next free one of a range."""
    if not port.published or port.published == "0":
        return [
            port_driver.find_free_port(_host_addresses(port)[0], port.protocol) for _ in range(5)
        ]
    ends = parse_port_range(port.published)
    assert ends is not None  # others are refused before anything is created
    return range(ends[0], ends[1] + 1)


def _host_addresses(port: Port) -> list[str]:
    if port.host_ip:
        return [port.host_ip]
    return [ANY_IPV4, ANY_IPV6] if port_driver.has_ipv6() else [ANY_IPV4]


async def _publish_address(port: Port, host_ip: str, number: int, address: str) -> DriverPort:
    family = "6" if ":" in host_ip else "4"
    spec = PortSpec(
        proto=f"{port.protocol}{family}",
        parent_ip=host_ip,
        parent_port=number,
        child_ip=address,
        child_port=port.target,
    )
    return await port_driver.publish_port(spec)


def _name_port_owner(holder_id: str, port: Port, error: PortTaken) -> PortTaken:
    """Name the container that has the port, if it is one of ours."""
    number, _ = parse_port_range(port.published) or (0, 0)
    for project in plain_records.list_projects():
        for container in records.read_containers(project):
            status = container.status
            published = {(one.published, one.protocol) for one in status.published}
            if status.holder == holder_id and (number, port.protocol) in published:
                owner = f"container {container.record.name} of project {project}"
                return PortTaken(port.host_ip, number, owner)
    return error


async def unpublish_ports(ports: Sequence[DriverPort]) -> None:
    """Unpublish ports."""
    for port in ports:
        await port_driver.unpublish_port(port.id)


async def find_published_ports(addresses: Mapping[str, str]) -> tuple[DriverPort, ...]:
    """Find what an earlier supervisor published for a container's addresses."""
    if not addresses:
        return ()
    own = set(addresses.values())
    return tuple(port for port in await port_driver.list_ports() if port.spec.child_ip in own)


def to_published(ports: Sequence[DriverPort]) -> tuple[PublishedPort, ...]:
    """Return ports as the status of a container keeps them and `ps` shows them."""
    return tuple(
        PublishedPort(
            url=port.spec.parent_ip or ANY_IPV4,
            target=port.spec.child_port,
            published=port.spec.parent_port,
            protocol=port.spec.proto.rstrip("46"),
        )
        for port in ports
    )
