"""Interfaces of a container are named and numbered, and leases are released."""

import pytest

from cntnr_compose.networks import cni, interfaces
from cntnr_compose.networks.interfaces import (
    AddressRefused,
    InterfaceRefused,
    InterfaceRequest,
    plan_interfaces,
)
from tests.unit.networks.world import managed_network

pytestmark = pytest.mark.usefixtures("holder_tmpfs")


def test_interfaces_are_numbered_and_one_leads_outside() -> None:
    planned = plan_interfaces(
        [
            InterfaceRequest(managed_network("a"), "", "", ""),
            InterfaceRequest(
                managed_network("b", "10.129.0.0/20"), "10.129.0.9", "02:00:00:00:00:01", "web0"
            ),
        ],
        "b",
    )
    assert [(one.name, one.default_route) for one in planned] == [("eth0", False), ("web0", True)]
    assert (planned[1].address, planned[1].mac) == ("10.129.0.9", "02:00:00:00:00:01")


def test_an_address_outside_the_subnet_is_refused() -> None:
    with pytest.raises(
        AddressRefused, match=r"10\.9\.9\.9 on network a: it is not in 10\.128\.0\.0/20"
    ):
        plan_interfaces([InterfaceRequest(managed_network("a"), "10.9.9.9", "", "")], "a")


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(AddressRefused, match=r"10\.128\.0\.999"):
        plan_interfaces([InterfaceRequest(managed_network("a"), "10.128.0.999", "", "")], "a")


def test_requested_names_are_nobody_elses() -> None:
    names = ("", "eth0", "")
    planned = plan_interfaces([InterfaceRequest(managed_network(n), "", "", n) for n in names], "a")
    assert [one.name for one in planned] == ["eth1", "eth0", "eth2"]
    with pytest.raises(InterfaceRefused, match='on network b "x": another interface has the name'):
        plan_interfaces([InterfaceRequest(managed_network(n), "", "", "x") for n in "ab"], "a")


@pytest.mark.parametrize("name", ["lo", "a b", "a/b", "..", "a:b", "sixteen-letters!"])
def test_names_that_the_kernel_does_not_take_are_refused(name: str) -> None:
    with pytest.raises(InterfaceRefused, match="cannot name the interface on network a"):
        plan_interfaces([InterfaceRequest(managed_network("a"), "", "", name)], "a")


def test_leases_of_one_container_are_given_back() -> None:
    folder = cni.leases_folder() / "a"
    folder.mkdir(parents=True)
    (folder / "10.0.0.2").write_text("abc\r\neth0")
    (folder / "10.0.0.3").write_text("def\r\neth0")
    (folder / "last_reserved_ip.0").write_text("10.0.0.3")
    interfaces.release_leases("abc", {})
    interfaces.release_leases("def", {"a": "10.0.0.3"})
    interfaces.release_leases("gone", {"a": "10.0.0.9"})
    assert [path.name for path in folder.iterdir()] == ["last_reserved_ip.0"]
