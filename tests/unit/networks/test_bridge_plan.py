"""Subnets, addresses and bridges that are chosen for networks."""

import pytest

from cntnr_compose.host.network import parse_subnet
from cntnr_compose.model.project import AddressPool, Network
from cntnr_compose.networks import bridge_plan, records
from cntnr_compose.networks.bridge_plan import OptionInvalid
from cntnr_compose.networks.records import ManagedNetwork
from cntnr_compose.networks.subnets import SubnetInvalid, SubnetTaken
from tests.unit.networks.world import managed_network

pytestmark = pytest.mark.usefixtures("holder_tmpfs")


def planned(network: Network) -> ManagedNetwork:
    return bridge_plan.plan_network(network, "p", "hash", {}, records.list_all())


def test_the_first_free_subnet_is_taken() -> None:
    network = planned(Network(key="a", name="p_a"))
    assert network.bridge.subnet == "10.128.0.0/20"
    records.write_network(network)
    assert planned(Network(key="b", name="p_b")).bridge.subnet == "10.128.16.0/20"


def test_the_way_out_is_not_taken_as_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    uplink = parse_subnet("10.128.0.0/24")
    monkeypatch.setattr(bridge_plan.network, "find_uplink", lambda _: uplink)
    assert planned(Network(key="a", name="p_a")).bridge.subnet == "10.128.16.0/20"
    pool = AddressPool(subnet="10.128.0.128/25")
    with pytest.raises(SubnetTaken, match="overlaps network of the way out"):
        planned(Network(key="a", name="p_a", pools=(pool,)))


def test_the_end_of_a_subnet_is_kept_for_resolvers() -> None:
    network = planned(Network(key="a", name="p_a"))
    assert (network.first, network.last) == ("10.128.0.2", "10.128.15.240")
    assert network.bridge.reserved == "10.128.15.241-10.128.15.254"


def test_the_smallest_subnet_has_no_addresses_for_resolvers() -> None:
    network = planned(Network(key="a", name="p_a", pools=(AddressPool(subnet="10.5.0.0/30"),)))
    assert (network.first, network.last, network.bridge.reserved) == ("10.5.0.1", "10.5.0.2", "")


def test_a_pool_says_subnet_gateway_and_range() -> None:
    pool = AddressPool(subnet="172.28.0.0/16", gateway="172.28.5.254", ip_range="172.28.5.0/24")
    network = planned(Network(key="a", name="p_a", pools=(pool,)))
    assert network.found.gateway == "172.28.5.254"
    assert (network.first, network.last) == ("172.28.5.0", "172.28.5.255")


def test_aux_addresses_are_kept_free() -> None:
    def kept(*pools: AddressPool) -> tuple[str, ...]:
        return planned(Network(key="a", name="p_a", pools=pools)).kept

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
    records.write_network(managed_network("other"))
    with pytest.raises(SubnetTaken, match=r"10\.128\.0\.0/24 overlaps network other"):
        planned(Network(key="a", name="p_a", pools=(AddressPool(subnet="10.128.0.0/24"),)))


def test_a_gateway_elsewhere_leaves_the_first_address_to_containers() -> None:
    network = planned(
        Network(key="a", name="p_a", pools=(AddressPool(subnet="10.5.0.0/24", gateway="10.5.0.9"),))
    )
    assert network.first == "10.5.0.1"


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
        planned(Network(key="a", name="p_a", pools=(pool,)))


def test_options_of_the_bridge_are_honoured() -> None:
    options = {
        "com.docker.network.bridge.name": "mybridge",
        "com.docker.network.driver.mtu": "1400",
        "com.docker.network.bridge.enable_ip_masquerade": "false",
    }
    bridge = planned(Network(key="a", name="p_a", driver_opts=options)).bridge
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
    records.write_network(managed_network("other"))
    options = {f"com.docker.network.{option}": value}
    with pytest.raises(OptionInvalid, match=f"{option} cannot be '{value}'"):
        planned(Network(key="a", name="p_a", driver_opts=options))
