"""Subnets are chosen and divided: gateway, containers, DNS servers."""

from ipaddress import IPv4Network

import pytest

from cntnr_compose.model.project import AddressPool
from cntnr_compose.networks import subnets
from cntnr_compose.networks.subnets import SubnetInvalid


@pytest.mark.parametrize(
    ("subnet", "gateway", "first", "last"),
    [
        ("10.128.0.0/20", "10.128.0.1", "10.128.0.2", "10.128.15.240"),
        ("10.0.0.0/29", "10.0.0.1", "10.0.0.2", "10.0.0.4"),
        ("10.0.0.0/30", "10.0.0.1", "10.0.0.2", "10.0.0.2"),
    ],
)
def test_a_subnet_has_a_gateway_and_addresses_for_dns_servers(
    subnet: str, gateway: str, first: str, last: str
) -> None:
    addresses = subnets.default_range(IPv4Network(subnet))
    assert [str(address) for address in addresses[1:]] == [gateway, first, last]
    assert not subnets.is_resolver_address(addresses.subnet, last)


def test_the_first_subnet_that_overlaps_no_other_is_chosen() -> None:
    taken = [IPv4Network("10.128.0.0/19"), IPv4Network("10.128.40.0/24")]
    assert subnets.choose_subnet("n", taken) == IPv4Network("10.128.48.0/20")
    vpn = [IPv4Network("10.0.0.0/8")]
    assert subnets.choose_subnet("n", [], vpn) == IPv4Network("172.16.0.0/20")
    everything = [IPv4Network("0.0.0.0/1"), IPv4Network("128.0.0.0/1")]
    assert subnets.choose_subnet("n", [], everything) == IPv4Network("10.128.0.0/20")
    with pytest.raises(SubnetInvalid, match="no free subnet is left"):
        subnets.choose_subnet("n", everything)


def test_the_first_pool_of_ipv4_is_used() -> None:
    pools = (AddressPool(subnet="fd00::/64"), AddressPool(), AddressPool(subnet="10.0.0.0/24"))
    assert subnets.ipv4_pool(pools) is pools[2]
    assert subnets.ipv4_pool(pools[:2]) is None


def test_the_lowest_free_address_is_given() -> None:
    assert subnets.lowest_free("10.0.0.2", "10.0.0.9", set()) == "10.0.0.2"
    assert subnets.lowest_free("10.0.0.2", "10.0.0.9", {"10.0.0.2", "10.0.0.4"}) == "10.0.0.3"


def test_a_full_range_has_none() -> None:
    assert subnets.lowest_free("10.0.0.2", "10.0.0.3", {"10.0.0.2", "10.0.0.3"}) == ""


def test_ranges_count_across_octets() -> None:
    assert list(subnets.addresses_between("10.0.0.254", "10.0.1.1")) == [
        "10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1",
    ]  # fmt: skip
    assert subnets.is_between("10.0.1.0", "10.0.0.254", "10.0.1.1")
    assert not subnets.is_between("10.0.1.2", "10.0.0.254", "10.0.1.1")


def test_the_hardware_address_tells_the_address() -> None:
    assert subnets.mac_address("10.128.15.240") == "02:42:0a:80:0f:f0"
