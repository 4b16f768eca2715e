"""Containers keep their addresses, and nobody gets another's."""

from pathlib import Path

import pytest

from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import ObservedNetwork, Record
from cntnr_compose.model.service import Service
from cntnr_compose.networks import address_claims as claims
from cntnr_compose.networks import cni, interfaces
from cntnr_compose.networks.dnsmasq import DnsView
from cntnr_compose.networks.ip_nft import Bridge
from cntnr_compose.networks.manager import ManagedNetwork

NET = ManagedNetwork(
    found=ObservedNetwork(name="n", gateway="10.0.0.1"),
    bridge=Bridge(name="br", gateway="10.0.0.1/29", subnet="10.0.0.0/29"),
    first="10.0.0.1",
    last="10.0.0.4",
)


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(claims.paths, "holder_tmpfs", lambda: tmp_path / "held")
    monkeypatch.setattr(claims.paths, "data", lambda: tmp_path / "data")
    return tmp_path


def record(identity: str) -> Record:
    made = Record(
        id=identity, name=f"p-{identity}-1", project="p", service="s", definition=Service(name="s")
    )
    place = claims.paths.container("p", identity)
    place.mkdir(parents=True, exist_ok=True)
    (place / "record.json").touch()
    return made


def given(identity: str, asked: str = "", made: ManagedNetwork = NET, promised: str = "") -> str:
    wanted = cni.Interface(
        name="eth0", network="n", bridge="br", subnet="10.0.0.0/29", gateway="10.0.0.1", address=asked
    )  # fmt: skip
    found = interfaces.assign_address(record(identity), made, wanted, {promised})
    assert found.mac == f"02:42:0a:00:00:{found.address.rpartition('.')[2].zfill(2)}"
    return found.address


def test_addresses_are_given_in_order_and_kept() -> None:
    assert [given("a"), given("b"), given("a"), given("b")] == [
        "10.0.0.2", "10.0.0.3", "10.0.0.2", "10.0.0.3",
    ]  # fmt: skip
    claims.mark_stopped("n", "a")
    assert given("c") == "10.0.0.4"
    assert given("a") == "10.0.0.2"


def test_one_that_is_gone_leaves_its_address() -> None:
    given("a")
    given("b")
    claims.release_address("n", "a")
    assert given("c") == "10.0.0.2"


def test_a_replacement_takes_the_address_over() -> None:
    given("a")
    given("b")
    claims.transfer_address("n", "a", "new")
    claims.release_address("n", "a")
    assert given("c") == "10.0.0.4"
    assert given("new") == "10.0.0.2"


def test_addresses_that_services_ask_for_are_left_to_them() -> None:
    assert given("a", promised="10.0.0.2") == "10.0.0.3"
    assert given("b", asked="10.0.0.2") == "10.0.0.2"


def test_one_that_has_what_is_another_s_now_gets_another() -> None:
    assert given("a") == "10.0.0.2"
    claims.mark_stopped("n", "a")
    assert given("b", asked="10.0.0.2") == "10.0.0.2"
    assert given("a", promised="10.0.0.2") == "10.0.0.3"


def test_addresses_for_others_than_containers_are_not_given() -> None:
    view = DnsView(name="v", address="10.0.0.3", networks=("n",))
    made = replace(NET, kept=("10.0.0.2",), views={"v": view})
    assert given("a", made=made) == "10.0.0.4"
    with pytest.raises(interfaces.AddressTaken, match="aux_addresses has it"):
        given("b", asked="10.0.0.2", made=made)
    with pytest.raises(interfaces.AddressTaken, match="a resolver has it"):
        given("b", asked="10.0.0.3", made=made)


def test_an_address_in_use_is_refused_with_its_owner() -> None:
    given("a", asked="10.0.0.4")
    with pytest.raises(interfaces.AddressTaken, match=r"p-b-1 address 10\.0\.0\.4.*p-a-1 of proj"):
        given("b", asked="10.0.0.4")


def test_a_full_network_takes_from_those_that_rest_and_then_refuses() -> None:
    for name in "abc":
        given(name)
    claims.mark_stopped("n", "b")
    assert given("d") == "10.0.0.3"
    with pytest.raises(interfaces.NoAddressLeft, match=r"from 10\.0\.0\.1 to 10\.0\.0\.4"):
        given("b")


def test_what_is_noted_of_a_container_without_a_record_counts_for_nothing() -> None:
    given("a", asked="10.0.0.4")
    (claims.paths.container("p", "a") / "record.json").unlink()
    assert given("b", asked="10.0.0.4") == "10.0.0.4"
    assert claims.list_claims("n") == {"10.0.0.4": "b"}


def test_a_lease_that_its_hook_did_not_give_back_is_no_obstacle() -> None:
    given("a")
    lease = cni.leases_folder() / "n/10.0.0.2"
    lease.parent.mkdir(parents=True)
    lease.write_text("a\r\neth0")
    assert given("a") == "10.0.0.2"
    assert not lease.exists()


def test_files_under_way_are_no_claims(places: Path) -> None:
    given("a")
    (places / "held/claims/n/.10.0.0.3-b.1234").touch()
    assert claims.list_claims("n") == {"10.0.0.2": "a"}
