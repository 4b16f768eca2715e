"""Networks are created, repaired and removed, also where the network programs fail."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from cntnr_compose.core.names import NameInvalid
from cntnr_compose.core.values import replace
from cntnr_compose.model.project import AddressPool, Network
from cntnr_compose.networks import bridge_plan, cni, ip_nft, manager, records
from cntnr_compose.networks.dns import dnsmasq
from cntnr_compose.networks.ip_nft import NetworkFailed
from cntnr_compose.networks.manager import NetworkManager, ResolverRequest
from cntnr_compose.networks.records import ManagedNetwork
from tests.unit.networks.world import managed_network

pytestmark = pytest.mark.usefixtures("holder_tmpfs")


def planned(network: Network) -> ManagedNetwork:
    return bridge_plan.plan_network(network, "p", "hash", {}, records.list_all())


def test_a_resolver_takes_an_address_that_nobody_has_or_asks_for() -> None:
    pool = AddressPool(subnet="10.5.0.0/24", gateway="10.5.0.254")
    records.write_network(planned(Network(key="a", name="p_a", pools=(pool,))))
    leased = cni.leases_folder() / "p_a/10.5.0.253"
    leased.parent.mkdir(parents=True)
    leased.write_text("abc")
    first = manager._ensure_view(
        "v", ResolverRequest(networks=("p_a",), upstream=("9.9.9.9",)), {"10.5.0.252"}
    )
    second = manager._ensure_view(
        "w", ResolverRequest(networks=("p_a",), upstream=("8.8.8.8",)), {"10.5.0.252"}
    )
    assert (first.address, second.address) == ("10.5.0.251", "10.5.0.250")
    assert manager._ensure_view("v", ResolverRequest(networks=("p_a",)), ()) == first
    manager._stop_views_of("p_a")
    network = records.find_network("p_a")
    assert network is not None
    assert network.views == {}


class FakeHolderNetwork:
    """Stand in for the holder's network: hold its interfaces, record calls, and fail some of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.interfaces = {"lo", "tap0"}
        self.refuses = self.slow = False
        self.fails: set[str] = set()  # calls that fail
        monkeypatch.setattr(ip_nft, "interface_names", lambda: self.interfaces)
        monkeypatch.setattr(
            ip_nft, "is_bridge_complete", lambda bridge, _extra: bridge.name in self.interfaces
        )
        monkeypatch.setattr(dnsmasq, "is_running", lambda _name: False)
        for module, verb in (
            (ip_nft, "create_bridge"),
            (ip_nft, "repair_bridge"),
            (ip_nft, "apply_nft_rules"),
            (ip_nft, "add_address"),
            (ip_nft, "remove_bridges"),
            (dnsmasq, "start"),
        ):
            monkeypatch.setattr(module, verb, self._verb(verb))
        monkeypatch.setattr(dnsmasq, "stop", lambda _name: None)

    def _verb(self, verb: str) -> Callable[..., Awaitable[None]]:
        async def done(*_words: object, **_more: object) -> None:
            self.calls.append(verb)
            if self.slow:
                await asyncio.sleep(0.01)
            if self.refuses or verb in self.fails:
                raise NetworkFailed("p_a", f"{verb} was refused")

        return done


@pytest.fixture
def holder_network(monkeypatch: pytest.MonkeyPatch) -> FakeHolderNetwork:
    return FakeHolderNetwork(monkeypatch)


def ours(name: str = "p_a") -> ManagedNetwork:
    network = managed_network(name)
    return replace(network, found=replace(network.found, project="p"))


def test_a_network_is_known_until_nothing_is_left_of_it(holder_network: FakeHolderNetwork) -> None:
    networks = NetworkManager("p")
    records.write_network(ours())
    holder_network.refuses = True
    with pytest.raises(NetworkFailed):
        asyncio.run(networks.remove_network("p_a"))
    assert records.find_network("p_a") is not None
    holder_network.refuses = False
    asyncio.run(networks.remove_network("p_a"))
    assert records.find_network("p_a") is None


def test_a_network_that_is_being_removed_is_so_to_the_end(
    holder_network: FakeHolderNetwork,
) -> None:
    networks = NetworkManager("p")
    records.write_network(ours())

    async def scenario() -> None:
        removal = asyncio.create_task(networks.remove_network("p_a"))
        await asyncio.sleep(0.002)
        assert "remove_bridges" in holder_network.calls
        removal.cancel()
        with pytest.raises(asyncio.CancelledError):
            await removal

    holder_network.slow = True
    asyncio.run(scenario())
    assert records.find_network("p_a") is None


def test_a_network_of_which_something_is_missing_is_completed(
    holder_network: FakeHolderNetwork,
) -> None:
    networks = NetworkManager("p")
    records.write_network(ours())
    asyncio.run(networks.repair())
    assert holder_network.calls == ["repair_bridge", "start", "apply_nft_rules"]
    holder_network.calls.clear()
    holder_network.interfaces.add("br-p_a")
    asyncio.run(networks.repair())
    assert holder_network.calls == ["start", "apply_nft_rules"]
    holder_network.calls.clear()
    asyncio.run(networks.repair(rules=False))
    assert holder_network.calls == ["start"]


def test_what_cannot_be_completed_does_not_keep_the_rest(holder_network: FakeHolderNetwork) -> None:
    networks = NetworkManager("p")
    for name in ("p_a", "p_b"):
        records.write_network(ours(name))
    holder_network.fails = {"repair_bridge", "apply_nft_rules"}
    with pytest.raises(NetworkFailed, match="repair_bridge was refused"):
        asyncio.run(networks.repair())
    assert holder_network.calls == ["repair_bridge", "repair_bridge", "apply_nft_rules"]


def test_networks_of_others_are_completed_only_where_they_are_wanted(
    holder_network: FakeHolderNetwork,
) -> None:
    networks = NetworkManager("p")
    records.write_network(managed_network("q_a"))
    asyncio.run(networks.repair({"p_a"}))
    assert holder_network.calls == []
    asyncio.run(networks.repair({"q_a"}))
    assert holder_network.calls == ["repair_bridge", "start", "apply_nft_rules"]


def test_a_network_that_waits_to_be_removed_is_completed_only_where_it_is_wanted_again(
    holder_network: FakeHolderNetwork,
) -> None:
    networks = NetworkManager("p")
    records.write_network(ours())
    holder_network.fails = {"remove_bridges"}
    with pytest.raises(NetworkFailed):
        asyncio.run(networks.remove_network("p_a"))
    holder_network.calls.clear()
    holder_network.fails = set()
    asyncio.run(networks.repair())
    assert holder_network.calls == []
    asyncio.run(networks.repair({"p_a"}))
    assert holder_network.calls == ["repair_bridge", "start", "apply_nft_rules"]
    asyncio.run(networks.remove_leaving())
    assert records.find_network("p_a") is not None


def test_the_first_error_of_making_a_network_is_told(holder_network: FakeHolderNetwork) -> None:
    networks = NetworkManager("p")
    holder_network.fails = {"apply_nft_rules", "remove_bridges"}
    with pytest.raises(NetworkFailed, match="p_a up: apply_nft_rules was refused"):
        asyncio.run(networks.create_network(Network(key="a", name="p_a"), "hash", {}))


def test_containers_wait_for_the_bridge_and_their_start_for_all_of_a_network(
    holder_network: FakeHolderNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    async def main() -> None:
        networks, rules = NetworkManager("p"), asyncio.Event()

        async def apply_rules(_network: object) -> None:
            await rules.wait()
            seen.append("rules")

        monkeypatch.setattr(manager.repairs, "apply_rules", apply_rules)
        network = Network(key="a", name="p_a")
        bridge = asyncio.Event()
        creating = asyncio.create_task(networks.create_network(network, "hash", {}, bridge.set))
        await bridge.wait()
        seen.append("bridge")
        starting = asyncio.create_task(networks.settle())
        await asyncio.sleep(0)
        assert not starting.done()
        rules.set()
        await starting
        seen.append("start")
        await creating

    asyncio.run(main())
    assert seen == ["bridge", "rules", "start"]
    assert "create_bridge" in holder_network.calls


def test_a_bridge_that_was_left_is_removed_before_it_is_made(
    holder_network: FakeHolderNetwork,
) -> None:
    bridge = planned(Network(key="a", name="p_a")).bridge.name
    holder_network.interfaces.add(bridge)
    asyncio.run(NetworkManager("p").create_network(Network(key="a", name="p_a"), "hash", {}))
    assert holder_network.calls[:2] == ["remove_bridges", "create_bridge"]


def test_a_network_that_others_use_goes_when_they_have_gone(
    holder_network: FakeHolderNetwork,
) -> None:
    networks = NetworkManager("p")
    records.write_network(ours())
    dnsmasq.hosts_folder("p_a").mkdir(parents=True)
    guest = dnsmasq.hosts_folder("p_a") / "guest"
    guest.write_text("10.128.0.2 guest\n")
    assert not asyncio.run(networks.remove_network("p_a"))
    asyncio.run(networks.remove_leaving())
    assert records.find_network("p_a") is not None
    guest.unlink()
    asyncio.run(networks.remove_leaving())
    assert records.find_network("p_a") is None
    assert holder_network.calls == ["remove_bridges"]


def test_a_network_that_nobody_wanted_to_go_stays(holder_network: FakeHolderNetwork) -> None:
    networks = NetworkManager("p")
    records.write_network(ours())
    asyncio.run(networks.remove_leaving())
    assert records.find_network("p_a") is not None
    assert holder_network.calls == []


@pytest.mark.parametrize("name", ["", ".", "..", "../../x", "a/b", "a\0b", "x\n", " ", "n" * 300])
def test_no_network_is_made_or_looked_for_outside_its_folder(
    holder_network: FakeHolderNetwork, holder_tmpfs: Path, name: str
) -> None:
    networks = NetworkManager("p")
    with pytest.raises(NameInvalid, match="cannot name a network"):
        asyncio.run(networks.create_network(Network(key="a", name=name), "hash", {}))
    if name != " ":
        with pytest.raises(NameInvalid):
            records.find_network(name)
    assert holder_network.calls == []
    assert [path.name for path in holder_tmpfs.rglob("*") if path.is_file()] == []


def test_a_network_of_no_project_is_brought_up_once_and_has_rules_of_its_own(
    holder_network: FakeHolderNetwork,
) -> None:
    network = managed_network("shared")
    records.write_defined(network)
    try:
        for project in ("p", "q"):
            networks = NetworkManager(project)
            assert "shared" in networks.observe()
            asyncio.run(networks.bring_up_defined(["shared", "absent"]))
        assert holder_network.calls == ["create_bridge", "apply_nft_rules", "start"]
        assert records.bridges_beside(network) == [network.bridge]
        holder_network.calls.clear()
        asyncio.run(NetworkManager("p").repair())
        assert holder_network.calls == []
        asyncio.run(NetworkManager("p").repair(["shared"]))
        assert holder_network.calls == ["repair_bridge", "start", "apply_nft_rules"]
        holder_network.fails.add("create_bridge")
        records.remove_record("shared")
        with pytest.raises(NetworkFailed):
            asyncio.run(NetworkManager("p").bring_up_defined(["shared"]))
        assert records.find_network("shared") is None
        assert records.find_defined("shared") == network
    finally:
        records.remove_defined("shared")
