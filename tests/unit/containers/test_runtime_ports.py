"""Ports of a container are published all or not at all."""

import asyncio

import pytest

from cntnr_compose.containers.runtime import ports
from cntnr_compose.containers.state import plain_records, records
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import Container, PublishedPort, Record, Status
from cntnr_compose.model.service import Port, Service
from cntnr_compose.networks import port_driver
from cntnr_compose.networks.port_driver import DriverPort, PortSpec, PortTaken

ADDRESSES = {"p_default": "10.9.0.2"}


class FakeDriver:
    """Stand in for the port driver; some host ports are taken."""

    def __init__(self) -> None:
        self.taken: set[int] = set()
        self.published: dict[int, PortSpec] = {}

    async def publish_port(self, spec: PortSpec) -> DriverPort:
        if spec.parent_port in self.taken:
            raise PortTaken(spec.parent_ip, spec.parent_port)
        number = len(self.published) + 1
        self.published[number] = spec
        return DriverPort(id=number, spec=spec)

    async def unpublish_port(self, number: int) -> None:
        del self.published[number]

    async def list_ports(self) -> tuple[DriverPort, ...]:
        return tuple(DriverPort(id=number, spec=spec) for number, spec in self.published.items())


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    fake = FakeDriver()
    for name in ("publish_port", "unpublish_port", "list_ports"):
        monkeypatch.setattr(port_driver, name, getattr(fake, name))
    monkeypatch.setattr(port_driver, "has_ipv6", lambda: False)
    monkeypatch.setattr(plain_records, "list_projects", lambda: ["shop"])
    monkeypatch.setattr(records, "read_containers", lambda _project: [])
    return fake


def record(*declared: Port) -> Record:
    service = Service(name="web", ports=declared)
    return Record(id="a1", name="shop-web-1", project="shop", service="web", definition=service)


def publish(*declared: Port) -> tuple[DriverPort, ...]:
    return asyncio.run(ports.publish_ports("holder", record(*declared), ADDRESSES))


def test_a_port_is_published_on_every_address(driver: FakeDriver) -> None:
    published = publish(Port(target=80, published="8080"))
    assert ports.to_published(published) == (
        PublishedPort(url="0.0.0.0", target=80, published=8080, protocol="tcp"),
    )
    assert asyncio.run(ports.find_published_ports(ADDRESSES)) == published
    assert asyncio.run(ports.find_published_ports({"p_default": "10.9.0.3"})) == ()
    asyncio.run(ports.unpublish_ports(published))
    assert driver.published == {}


def test_a_range_gives_the_next_free_port(driver: FakeDriver) -> None:
    driver.taken = {8080}
    (published,) = publish(Port(target=80, published="8080-8081"))
    assert published.spec.parent_port == 8081


def test_where_one_is_taken_none_is_published(driver: FakeDriver) -> None:
    driver.taken = {81}
    with pytest.raises(PortTaken, match="cannot publish port 81"):
        publish(Port(target=80, published="80"), Port(target=81, published="81"))
    assert driver.published == {}


@pytest.mark.parametrize(("holder", "owner"), [("holder", "container shop-db-1"), ("other", "")])
def test_a_container_that_has_the_port_is_named(
    driver: FakeDriver, monkeypatch: pytest.MonkeyPatch, holder: str, owner: str
) -> None:
    driver.taken = {80}
    taken = PublishedPort(url="0.0.0.0", target=80, published=80, protocol="tcp")
    status = Status(state="running", holder=holder, published=(taken,))
    db = replace(record(), id="b2", name="shop-db-1", service="db")
    monkeypatch.setattr(
        records, "read_containers", lambda _project: [Container(record=db, status=status)]
    )
    with pytest.raises(PortTaken) as raised:
        publish(Port(target=80, published="80"))
    assert (f"by {owner}" in str(raised.value)) == bool(owner)


def test_other_protocols_are_refused(driver: FakeDriver) -> None:
    with pytest.raises(ports.ProtocolUnknown, match="sctp cannot be forwarded without root"):
        publish(Port(target=80, published="80", protocol="sctp"))
