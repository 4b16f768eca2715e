"""What a container gets on each of its networks."""

import ipaddress
from pathlib import Path

import pytest

from cntnr_compose.model.observed import ObservedNetwork
from cntnr_compose.networks import cni, interfaces
from cntnr_compose.networks import manager as networks
from cntnr_compose.networks.interfaces import AddressRefused, InterfaceRefused
from cntnr_compose.networks.ip_nft import Bridge
from cntnr_compose.networks.manager import ManagedNetwork


@pytest.fixture(autouse=True)
def held(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(networks.paths, "holder_tmpfs", lambda: tmp_path)
    return tmp_path


def network(name: str, subnet: str = "10.128.0.0/20") -> ManagedNetwork:
    gateway = str(ipaddress.ip_network(subnet)[1])
    bridge = Bridge(name=f"br-{name}", gateway=f"{gateway}/20", subnet=subnet)
    return ManagedNetwork(
        found=ObservedNetwork(name=name, gateway=gateway), bridge=bridge, first="a", last="b"
    )


def test_interfaces_are_numbered_and_one_leads_outside() -> None:
    found = interfaces.plan_interfaces(
        [
            (network("a"), "", "", ""),
            (network("b", "10.129.0.0/20"), "10.129.0.9", "02:00:00:00:00:01", "web0"),
        ],
        "b",
    )
    assert [(one.name, one.default_route) for one in found] == [("eth0", False), ("web0", True)]
    assert (found[1].address, found[1].mac) == ("10.129.0.9", "02:00:00:00:00:01")


def test_an_address_outside_the_subnet_is_refused() -> None:
    with pytest.raises(
        AddressRefused, match=r"10\.9\.9\.9 on network a: it is not in 10\.128\.0\.0/20"
    ):
        interfaces.plan_interfaces([(network("a"), "10.9.9.9", "", "")], "a")


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(AddressRefused, match=r"10\.128\.0\.999"):
        interfaces.plan_interfaces([(network("a"), "10.128.0.999", "", "")], "a")


def test_names_that_are_asked_for_are_nobody_elses() -> None:
    asked = ("", "eth0", "")
    found = interfaces.plan_interfaces([(network(n), "", "", n) for n in asked], "a")
    assert [one.name for one in found] == ["eth1", "eth0", "eth2"]
    with pytest.raises(InterfaceRefused, match='on network b "x": another interface has the name'):
        interfaces.plan_interfaces([(network(n), "", "", "x") for n in "ab"], "a")


@pytest.mark.parametrize("name", ["lo", "a b", "a/b", "..", "a:b", "sixteen-letters!"])
def test_names_that_the_kernel_does_not_take_are_refused(name: str) -> None:
    with pytest.raises(InterfaceRefused, match="cannot name the interface on network a"):
        interfaces.plan_interfaces([(network("a"), "", "", name)], "a")


def test_leases_of_one_container_are_given_back(held: Path) -> None:
    place = cni.leases_folder() / "a"
    place.mkdir(parents=True)
    (place / "10.0.0.2").write_text("abc\r\neth0")
    (place / "10.0.0.3").write_text("def\r\neth0")
    (place / "last_reserved_ip.0").write_text("10.0.0.3")
    interfaces.release_leases("abc", {})
    interfaces.release_leases("def", {"a": "10.0.0.3"})
    interfaces.release_leases("gone", {"a": "10.0.0.9"})
    assert [path.name for path in place.iterdir()] == ["last_reserved_ip.0"]
