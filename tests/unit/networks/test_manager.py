"""Addresses of networks and what a container gets on each."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from cntnr_compose.core.names import NameInvalid
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import ObservedNetwork
from cntnr_compose.model.project import AddressPool, Network
from cntnr_compose.networks import cni, dnsmasq
from cntnr_compose.networks import manager as networks
from cntnr_compose.networks.ip_nft import Bridge
from cntnr_compose.networks.manager import (
    ManagedNetwork,
    NetworkManager,
    OptionInvalid,
    ResolverRequest,
)
from cntnr_compose.networks.subnets import SubnetInvalid, SubnetTaken


@pytest.fixture(autouse=True)
def held(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(networks.paths, "holder_tmpfs", lambda: tmp_path)
    (tmp_path / "networks").mkdir()
    return tmp_path


def made(name: str, subnet: str = "10.128.0.0/20", *, internal: bool = False) -> ManagedNetwork:
    gateway = str(ipaddress.ip_network(subnet)[1])
    bridge = Bridge(name=f"br-{name}", gateway=f"{gateway}/20", subnet=subnet, internal=internal)
    return ManagedNetwork(
        found=ObservedNetwork(name=name, gateway=gateway), bridge=bridge, first="a", last="b"
    )


def chosen(wanted: Network) -> ManagedNetwork:
    return NetworkManager("p")._plan_network(wanted, "hash", {})


def test_the_first_free_subnet_is_taken() -> None:
    store = NetworkManager("p")
    one = chosen(Network(key="a", name="p_a"))
    assert one.bridge.subnet == "10.128.0.0/20"
    store._write(one)
    assert chosen(Network(key="b", name="p_b")).bridge.subnet == "10.128.16.0/20"


def test_the_end_of_a_subnet_is_kept_for_resolvers() -> None:
    one = chosen(Network(key="a", name="p_a"))
    assert (one.first, one.last) == ("10.128.0.2", "10.128.15.240")
    assert one.bridge.reserved == "10.128.15.241-10.128.15.254"


def test_the_smallest_subnet_has_no_addresses_for_resolvers() -> None:
    one = chosen(Network(key="a", name="p_a", pools=(AddressPool(subnet="10.5.0.0/30"),)))
    assert (one.first, one.last, one.bridge.reserved) == ("10.5.0.1", "10.5.0.2", "")


def test_a_pool_says_subnet_gateway_and_range() -> None:
    pool = AddressPool(subnet="172.28.0.0/16", gateway="172.28.5.254", ip_range="172.28.5.0/24")
    one = chosen(Network(key="a", name="p_a", pools=(pool,)))
    assert one.found.gateway == "172.28.5.254"
    assert (one.first, one.last) == ("172.28.5.0", "172.28.5.255")


def test_aux_addresses_are_kept_free() -> None:
    def kept(*pools: AddressPool) -> tuple[str, ...]:
        return chosen(Network(key="a", name="p_a", pools=pools)).kept

    lan = AddressPool(subnet="10.5.0.0/24", aux_addresses={"router": "10.5.0.2", "nas": "10.5.0.9"})
    assert kept(lan) == ("10.5.0.2", "10.5.0.9")
    assert kept(lan, AddressPool(subnet="10.6.0.0/24", aux_addresses={"x": "10.6.0.2"})) == kept(
        lan
    )
    with pytest.raises(SubnetInvalid, match=r"aux_addresses r: 10\.6\.0\.2 is not in subnet"):
        kept(AddressPool(subnet="10.5.0.0/24", aux_addresses={"r": "10.6.0.2"}))
    with pytest.raises(SubnetInvalid, match=r"aux_addresses r: .*nonsense"):
        kept(AddressPool(subnet="10.5.0.0/24", aux_addresses={"r": "nonsense"}))
    with pytest.raises(SubnetInvalid, match="is not in subnet"):
        kept(AddressPool(aux_addresses={"r": "10.6.0.2"}))


def test_an_overlapping_subnet_is_refused_with_the_others_name() -> None:
    NetworkManager("p")._write(made("other"))
    with pytest.raises(SubnetTaken, match=r"10\.128\.0\.0/24 overlaps network other"):
        chosen(Network(key="a", name="p_a", pools=(AddressPool(subnet="10.128.0.0/24"),)))


def test_a_gateway_elsewhere_leaves_the_first_address_to_containers() -> None:
    one = chosen(
        Network(key="a", name="p_a", pools=(AddressPool(subnet="10.5.0.0/24", gateway="10.5.0.9"),))
    )
    assert one.first == "10.5.0.1"


@pytest.mark.parametrize(
    ("pool", "says"),
    [
        (AddressPool(subnet="nonsense"), "subnet nonsense"),
        (AddressPool(subnet="10.0.0.0/33"), "subnet 10.0.0.0/33"),
        (AddressPool(subnet="10.0.0.0/32"), "no room"),
        (
            AddressPool(subnet="10.0.0.0/24", gateway="10.0.1.1"),
            "gateway 10.0.1.1 is not in subnet 10.0.0.0/24",
        ),
        (AddressPool(subnet="10.0.0.0/24", gateway="here"), "gateway here"),
        (
            AddressPool(subnet="10.0.0.0/24", ip_range="10.0.1.0/28"),
            "ip_range 10.0.1.0/28 is not in subnet",
        ),
    ],
)
def test_what_is_no_subnet_is_refused(pool: AddressPool, says: str) -> None:
    with pytest.raises(SubnetInvalid, match=f"cannot create network p_a: .*{says}"):
        chosen(Network(key="a", name="p_a", pools=(pool,)))


def test_a_resolver_takes_an_address_that_nobody_has_or_asks_for() -> None:
    store = NetworkManager("p")
    pool = AddressPool(subnet="10.5.0.0/24", gateway="10.5.0.254")
    store._write(chosen(Network(key="a", name="p_a", pools=(pool,))))
    leased = cni.leases_folder() / "p_a/10.5.0.253"
    leased.parent.mkdir(parents=True)
    leased.write_text("abc")
    one = store._view(
        "v", ResolverRequest(networks=("p_a",), upstream=("9.9.9.9",)), {"10.5.0.252"}
    )
    two = store._view(
        "w", ResolverRequest(networks=("p_a",), upstream=("8.8.8.8",)), {"10.5.0.252"}
    )
    assert (one.address, two.address) == ("10.5.0.251", "10.5.0.250")
    assert store._view("v", ResolverRequest(networks=("p_a",)), ()) == one
    store._stop_views_of("p_a")
    made = store.find_network("p_a")
    assert made is not None
    assert made.views == {}


def test_options_of_the_bridge_are_honoured() -> None:
    options = {
        "com.docker.network.bridge.name": "mybridge",
        "com.docker.network.driver.mtu": "1400",
        "com.docker.network.bridge.enable_ip_masquerade": "false",
    }
    bridge = chosen(Network(key="a", name="p_a", driver_opts=options)).bridge
    assert (bridge.name, bridge.mtu, bridge.masquerade) == ("mybridge", 1400, False)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("driver.mtu", "large"),
        ("driver.mtu", "65536"),
        ("bridge.name", "tap0"),
        ("bridge.name", "br-other"),
        ("bridge.name", "a name of more than fifteen letters"),
    ],
)
def test_options_that_no_bridge_can_have_are_refused(option: str, value: str) -> None:
    NetworkManager("p")._write(made("other"))
    options = {f"com.docker.network.{option}": value}
    with pytest.raises(OptionInvalid, match=f"{option} cannot be '{value}'"):
        chosen(Network(key="a", name="p_a", driver_opts=options))


class Outside:
    """Stands in for the holder's network: what was asked of it, and what it has."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.links = {"lo", "tap0"}
        self.refuses = self.slow = False
        self.fails: set[str] = set()  # what else is refused
        monkeypatch.setattr(networks.network, "interface_names", lambda: self.links)
        monkeypatch.setattr(
            networks.network, "is_bridge_complete", lambda one, _further: one.name in self.links
        )
        monkeypatch.setattr(networks.dnsmasq, "is_running", lambda _name: False)
        for module, verb in (
            (networks.network, "make"),
            (networks.network, "mend"),
            (networks.network, "rule"),
            (networks.network, "add_address"),
            (networks.network, "tear_down"),
            (networks.dnsmasq, "start"),
        ):
            monkeypatch.setattr(module, verb, self._verb(verb))
        monkeypatch.setattr(networks.dnsmasq, "stop", lambda _name: None)

    def _verb(self, verb: str) -> Callable[..., Awaitable[None]]:
        async def done(*_words: object, **_more: object) -> None:
            self.asked.append(verb)
            if self.slow:
                await asyncio.sleep(0.01)
            if self.refuses or verb in self.fails:
                raise networks.network.NetworkFailed("p_a", f"{verb} was refused")

        return done


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Outside:
    return Outside(monkeypatch)


def ours(name: str = "p_a") -> ManagedNetwork:
    one = made(name)
    return replace(one, found=replace(one.found, project="p"))


def test_a_network_is_known_until_nothing_is_left_of_it(outside: Outside) -> None:
    store = NetworkManager("p")
    store._write(ours())
    outside.refuses = True
    with pytest.raises(networks.network.NetworkFailed):
        asyncio.run(store.remove_network("p_a"))
    assert store.find_network("p_a") is not None
    outside.refuses = False
    asyncio.run(store.remove_network("p_a"))
    assert store.find_network("p_a") is None


def test_a_network_that_is_being_removed_is_so_to_the_end(outside: Outside) -> None:
    store = NetworkManager("p")
    store._write(ours())

    async def scene() -> None:
        removal = asyncio.create_task(store.remove_network("p_a"))
        await asyncio.sleep(0.002)
        assert "tear_down" in outside.asked
        removal.cancel()
        with pytest.raises(asyncio.CancelledError):
            await removal

    outside.slow = True
    asyncio.run(scene())
    assert store.find_network("p_a") is None


def test_a_network_of_which_something_is_missing_is_completed(outside: Outside) -> None:
    store = NetworkManager("p")
    store._write(ours())
    asyncio.run(store.repair())
    assert outside.asked == ["mend", "start", "rule"]
    outside.asked.clear()
    outside.links.add("br-p_a")
    asyncio.run(store.repair())
    assert outside.asked == ["start", "rule"]
    outside.asked.clear()
    asyncio.run(store.repair(rules=False))
    assert outside.asked == ["start"]


def test_what_cannot_be_completed_does_not_keep_the_rest(outside: Outside) -> None:
    store = NetworkManager("p")
    for name in ("p_a", "p_b"):
        store._write(ours(name))
    outside.fails = {"mend", "rule"}
    with pytest.raises(networks.network.NetworkFailed, match="mend was refused"):
        asyncio.run(store.repair())
    assert outside.asked == ["mend", "mend", "rule"]


def test_networks_of_others_are_completed_only_where_they_are_wanted(outside: Outside) -> None:
    store = NetworkManager("p")
    store._write(made("q_a"))
    asyncio.run(store.repair({"p_a"}))
    assert outside.asked == []
    asyncio.run(store.repair({"q_a"}))
    assert outside.asked == ["mend", "start", "rule"]


def test_a_network_that_waits_to_be_removed_is_completed_only_where_it_is_wanted_again(
    outside: Outside,
) -> None:
    store = NetworkManager("p")
    store._write(ours())
    outside.fails = {"tear_down"}
    with pytest.raises(networks.network.NetworkFailed):
        asyncio.run(store.remove_network("p_a"))
    outside.asked.clear()
    outside.fails = set()
    asyncio.run(store.repair())
    assert outside.asked == []
    asyncio.run(store.repair({"p_a"}))
    assert outside.asked == ["mend", "start", "rule"]
    asyncio.run(store.remove_leaving())
    assert store.find_network("p_a") is not None


def test_the_first_error_of_making_a_network_is_told(outside: Outside) -> None:
    store = NetworkManager("p")
    outside.fails = {"rule", "tear_down"}
    with pytest.raises(ExceptionGroup) as found:
        asyncio.run(store.create_network(Network(key="a", name="p_a"), "hash", {}))
    assert [str(one) for one in found.value.exceptions] == [
        "cannot set network p_a up: rule was refused"
    ]


def test_a_bridge_that_was_left_is_removed_before_it_is_made(outside: Outside) -> None:
    bridge = chosen(Network(key="a", name="p_a")).bridge.name
    outside.links.add(bridge)
    asyncio.run(NetworkManager("p").create_network(Network(key="a", name="p_a"), "hash", {}))
    assert outside.asked[:2] == ["tear_down", "make"]


def test_a_network_that_others_use_goes_when_they_have_gone(outside: Outside) -> None:
    store = NetworkManager("p")
    store._write(ours())
    dnsmasq.hosts_folder("p_a").mkdir(parents=True)
    guest = dnsmasq.hosts_folder("p_a") / "guest"
    guest.write_text("10.128.0.2 guest\n")
    assert not asyncio.run(store.remove_network("p_a"))
    asyncio.run(store.remove_leaving())
    assert store.find_network("p_a") is not None
    guest.unlink()
    asyncio.run(store.remove_leaving())
    assert store.find_network("p_a") is None
    assert outside.asked == ["tear_down"]


def test_a_network_that_nobody_wanted_to_go_stays(outside: Outside) -> None:
    store = NetworkManager("p")
    store._write(ours())
    asyncio.run(store.remove_leaving())
    assert store.find_network("p_a") is not None
    assert outside.asked == []


@pytest.mark.parametrize("name", ["", ".", "..", "../../x", "a/b", "a\0b", "x\n", " ", "n" * 300])
def test_no_network_is_made_or_looked_for_outside_its_folder(
    outside: Outside, held: Path, name: str
) -> None:
    store = NetworkManager("p")
    with pytest.raises(NameInvalid, match="cannot name a network"):
        asyncio.run(store.create_network(Network(key="a", name=name), "hash", {}))
    if name != " ":
        with pytest.raises(NameInvalid):
            store.find_network(name)
    assert outside.asked == []
    assert [path.name for path in held.rglob("*") if path.is_file()] == []


def test_what_is_written_under_another_name_is_no_network(held: Path) -> None:
    store = NetworkManager("p")
    store._write(ours())
    (held / "networks/p_a.json").rename(held / "networks/p_b.json")
    assert store.list_networks() == []
