"""Which address a container gets."""

from cntnr_compose.networks import addresses


def test_the_lowest_free_address_is_given() -> None:
    assert addresses.lowest_free("10.0.0.2", "10.0.0.9", set()) == "10.0.0.2"
    assert addresses.lowest_free("10.0.0.2", "10.0.0.9", {"10.0.0.2", "10.0.0.4"}) == "10.0.0.3"


def test_a_full_range_has_none() -> None:
    assert addresses.lowest_free("10.0.0.2", "10.0.0.3", {"10.0.0.2", "10.0.0.3"}) == ""


def test_ranges_count_across_octets() -> None:
    assert list(addresses.addresses_between("10.0.0.254", "10.0.1.1")) == [
        "10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1",
    ]  # fmt: skip
    assert addresses.is_between("10.0.1.0", "10.0.0.254", "10.0.1.1")
    assert not addresses.is_between("10.0.1.2", "10.0.0.254", "10.0.1.1")


def test_the_hardware_address_tells_the_address() -> None:
    assert addresses.mac_address("10.128.15.240") == "02:42:0a:80:0f:f0"
