"""Containers keep their addresses, and nobody gets another's."""

from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import ObservedNetwork, Record
from cntnr_compose.model.service import Service
from cntnr_compose.networks import address_claims, cni, interfaces
from cntnr_compose.networks.dns.dnsmasq import DnsView
from cntnr_compose.networks.ip_nft import Bridge
from cntnr_compose.networks.records import ManagedNetwork

NET = ManagedNetwork(
    found=ObservedNetwork(name="n", gateway="10.0.0.1"),
    bridge=Bridge(name="br", gateway="10.0.0.1/29", subnet="10.0.0.0/29"),
    first="10.0.0.1",
    last="10.0.0.4",
)


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(paths, "holder_tmpfs", lambda: tmp_path / "tmpfs")
    monkeypatch.setattr(paths, "data", lambda: tmp_path / "data")
    return tmp_path


def recorded(identity: str) -> Record:
    record = Record(
        id=identity, name=f"p-{identity}-1", project="p", service="s", definition=Service(name="s")
    )
    folder = paths.container("p", identity)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "record.json").touch()
    return record


def assign(
    identity: str, requested: str = "", network: ManagedNetwork = NET, elsewhere: str = ""
) -> str:
    interface = cni.Interface(
        name="eth0", network="n", bridge="br", subnet="10.0.0.0/29", gateway="10.0.0.1", address=requested
    )  # fmt: skip
    assigned = interfaces.assign_address(recorded(identity), network, interface, {elsewhere})
    assert assigned.mac == f"02:42:0a:00:00:{assigned.address.rpartition('.')[2].zfill(2)}"
    return assigned.address


def test_addresses_are_given_in_order_and_kept() -> None:
    assert [assign("a"), assign("b"), assign("a"), assign("b")] == [
        "10.0.0.2", "10.0.0.3", "10.0.0.2", "10.0.0.3",
    ]  # fmt: skip
    address_claims.mark_stopped("n", "a")
    assert assign("c") == "10.0.0.4"
    assert assign("a") == "10.0.0.2"


def test_one_that_is_gone_leaves_its_address() -> None:
    assign("a")
    assign("b")
    address_claims.release_address("n", "a")
    assert assign("c") == "10.0.0.2"


def test_a_replacement_takes_the_address_over() -> None:
    assign("a")
    assign("b")
    address_claims.transfer_address("n", "a", "new")
    address_claims.release_address("n", "a")
    assert assign("c") == "10.0.0.4"
    assert assign("new") == "10.0.0.2"


def test_addresses_that_services_ask_for_are_left_to_them() -> None:
    assert assign("a", elsewhere="10.0.0.2") == "10.0.0.3"
    assert assign("b", requested="10.0.0.2") == "10.0.0.2"


def test_one_that_has_what_is_another_s_now_gets_another() -> None:
    assert assign("a") == "10.0.0.2"
    address_claims.mark_stopped("n", "a")
    assert assign("b", requested="10.0.0.2") == "10.0.0.2"
    assert assign("a", elsewhere="10.0.0.2") == "10.0.0.3"


def test_addresses_for_others_than_containers_are_not_assign() -> None:
    view = DnsView(name="v", address="10.0.0.3", networks=("n",))
    network = replace(NET, kept=("10.0.0.2",), views={"v": view})
    assert assign("a", network=network) == "10.0.0.4"
    with pytest.raises(interfaces.AddressTaken, match="aux_addresses has it"):
        assign("b", requested="10.0.0.2", network=network)
    for address, owner in (("1", "the gateway"), ("0", "the network itself")):
        with pytest.raises(interfaces.AddressTaken, match=f"{owner} has it"):
            assign("b", requested=f"10.0.0.{address}", network=network)
    with pytest.raises(interfaces.AddressTaken, match="a resolver has it"):
        assign("b", requested="10.0.0.3", network=network)


def test_an_address_in_use_is_refused_with_its_owner() -> None:
    assign("a", requested="10.0.0.4")
    with pytest.raises(interfaces.AddressTaken, match=r"p-b-1 address 10\.0\.0\.4.*p-a-1 of proj"):
        assign("b", requested="10.0.0.4")


def test_a_full_network_takes_from_those_that_rest_and_then_refuses() -> None:
    for name in "abc":
        assign(name)
    address_claims.mark_stopped("n", "b")
    assert assign("d") == "10.0.0.3"
    with pytest.raises(interfaces.NoAddressLeft, match=r"from 10\.0\.0\.1 to 10\.0\.0\.4"):
        assign("b")


def test_what_is_noted_of_a_container_without_a_record_counts_for_nothing() -> None:
    assign("a", requested="10.0.0.4")
    (paths.container("p", "a") / "record.json").unlink()
    assert assign("b", requested="10.0.0.4") == "10.0.0.4"
    assert address_claims.list_claims("n") == {"10.0.0.4": "b"}


def test_a_lease_that_its_hook_did_not_give_back_is_no_obstacle() -> None:
    assign("a")
    lease = cni.leases_folder() / "n/10.0.0.2"
    lease.parent.mkdir(parents=True)
    lease.write_text("a\r\neth0")
    assert assign("a") == "10.0.0.2"
    assert not lease.exists()


def test_files_under_way_are_no_claims(places: Path) -> None:
    assign("a")
    (places / "tmpfs/claims/n/.10.0.0.3-b.1234").touch()
    assert address_claims.list_claims("n") == {"10.0.0.2": "a"}
