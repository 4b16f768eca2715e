"""Publishes a container's ports on the host: which ones, on which addresses."""

from collections.abc import Mapping, Sequence

from cntnr_compose.containers.state import records
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.units import parse_port_range
from cntnr_compose.core.values import Value
from cntnr_compose.host import process
from cntnr_compose.model.observed import PublishedPort, Record
from cntnr_compose.model.service import Port
from cntnr_compose.networks import port_driver as ports
from cntnr_compose.networks.port_driver import PortSpec, PortTaken

ANY_IPV4 = "0.0.0.0"
ANY_IPV6 = "::"


class ProtocolUnknown(CntnrError):
    """A port is to be published for a protocol that cannot be forwarded."""

    def __init__(self, service: str, protocol: str) -> None:
        super().__init__(
            f"cannot publish a port of service {service}: {protocol} cannot be forwarded without root"
        )


class DriverPort(Value, frozen=True, kw_only=True):
    """A port as it is published, and the number that the driver knows it by."""

    driver_id: int
    publication: PublishedPort


async def publish_ports(
    scene: ProjectContext, record: Record, addresses: Mapping[str, str]
) -> tuple[DriverPort, ...]:
    """Publish every port of a container; all or none.

    Raises `PortTaken`, `PortPrivileged`, `AddressUnknown`, `PortRefused`, `ProtocolUnknown`.
    """
    service = record.definition
    if not service.ports or not addresses:
        return ()
    address = next(iter(addresses.values()))
    made: list[DriverPort] = []
    try:
        for port in service.ports:
            made += await _publish_port(scene, record, port, address)
    except BaseException:
        await process.clean_up(unpublish_ports(made))
        raise
    return tuple(made)


async def _publish_port(
    scene: ProjectContext, record: Record, port: Port, address: str
) -> list[DriverPort]:
    if port.protocol not in ("tcp", "udp"):
        raise ProtocolUnknown(record.service, port.protocol)
    last: PortTaken | None = None
    for number in _candidate_ports(port):
        made: list[DriverPort] = []
        try:
            for host in _host_addresses(port):
                one = await _publish_address(port, host, number, address)
                made.append(one)
        except PortTaken as error:
            await unpublish_ports(made)
            last = error
        else:
            return made
    assert last is not None
    raise _name_port_owner(scene, port, last)


def _candidate_ports(port: Port) -> Sequence[int]:
    """Give the host ports to try: replicas of a service take the next free one of a range."""
    if not port.published or port.published == "0":
        return [ports.find_free_port(_host_addresses(port)[0], port.protocol) for _ in range(5)]
    ends = parse_port_range(port.published)
    assert ends is not None  # others are refused before anything is created
    return range(ends[0], ends[1] + 1)


def _host_addresses(port: Port) -> list[str]:
    if port.host_ip:
        return [port.host_ip]
    return [ANY_IPV4, ANY_IPV6] if ports.has_ipv6() else [ANY_IPV4]


async def _publish_address(port: Port, host: str, number: int, address: str) -> DriverPort:
    family = "6" if ":" in host else "4"
    spec = PortSpec(
        proto=f"{port.protocol}{family}",
        parent_ip=host,
        parent_port=number,
        child_ip=address,
        child_port=port.target,
    )
    known = await ports.publish_port(spec)
    seen_as = PublishedPort(url=host, target=port.target, published=number, protocol=port.protocol)
    return DriverPort(driver_id=known, publication=seen_as)


def _name_port_owner(scene: ProjectContext, port: Port, error: PortTaken) -> PortTaken:
    """Name the container that has the port, where it is one of ours."""
    first, _ = parse_port_range(port.published) or (0, 0)
    wanted = (first, port.protocol)
    for project in records.list_projects():
        for one in records.read_containers(project):
            there = {(each.published, each.protocol) for each in one.status.published}
            if one.status.holder == scene.holder.id and wanted in there:
                by = f"container {one.record.name} of project {project}"
                return PortTaken(port.host_ip, wanted[0], by)
    return error


async def unpublish_ports(published: Sequence[DriverPort]) -> None:
    """Take published ports back."""
    for one in published:
        await ports.unpublish_port(one.driver_id)


async def find_published_ports(addresses: Mapping[str, str]) -> tuple[DriverPort, ...]:
    """Find what an earlier supervisor published for a container's addresses."""
    if not addresses:
        return ()
    mine = set(addresses.values())
    return tuple(
        DriverPort(
            driver_id=one.id,
            publication=PublishedPort(
                url=one.spec.parent_ip or ANY_IPV4,
                target=one.spec.child_port,
                published=one.spec.parent_port,
                protocol=one.spec.proto.rstrip("46"),
            ),
        )
        for one in await ports.list_ports()
        if one.spec.child_ip in mine
    )


def list_publications(published: Sequence[DriverPort]) -> tuple[PublishedPort, ...]:
    """Give what `ps` shows."""
    return tuple(one.publication for one in published)
