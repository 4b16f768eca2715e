"""`network` and `volume`: what a command line asks for, and what lists select and print."""

import pytest

from cntnr_compose.cli.commands.network.create import PoolInvalid, make_pools
from cntnr_compose.cli.flows import resource_lists
from cntnr_compose.client import resources
from cntnr_compose.core import paths
from cntnr_compose.core.names import NameInvalid
from cntnr_compose.host import files
from cntnr_compose.model.project import AddressPool, Network, Volume
from cntnr_compose.networks import records
from cntnr_compose.networks.bridge_plan import NetworkDriverUnknown
from cntnr_compose.networks.subnets import SubnetTaken
from cntnr_compose.volumes import store
from tests.unit.cli.conftest import Run


@pytest.fixture(autouse=True)
def nothing_there() -> None:
    files.remove_tree(paths.data())


def network(name: str, *pools: AddressPool, driver: str = "") -> Network:
    return Network(key=name, name=name, pools=pools, driver=driver)


def test_gateways_and_ranges_go_to_their_subnets() -> None:
    pools = make_pools(
        ("10.1.0.0/24,10.2.0.0/24",), ("10.2.0.9",), ("10.1.0.128/25",), ("x=10.1.0.4",)
    )
    assert pools == (
        AddressPool(
            subnet="10.1.0.0/24", ip_range="10.1.0.128/25", aux_addresses={"x": "10.1.0.4"}
        ),
        AddressPool(subnet="10.2.0.0/24", gateway="10.2.0.9"),
    )
    with pytest.raises(PoolInvalid, match="for gateway"):
        make_pools(("10.1.0.0/24",), ("10.3.0.1",), (), ())


def test_networks_are_defined_beside_each_other() -> None:
    first = resources.create_network(network("a"))
    second = resources.create_network(network("b"))
    assert first.bridge.subnet != second.bridge.subnet
    assert [one.found.name for one in resources.list_networks()] == ["a", "b"]
    assert resources.find_network(resources.network_id(second)[:20]) == second
    for name, error in (
        ("a", resources.NetworkExists),
        ("none", resources.NetworkPredefined),
        ("../x", NameInvalid),
    ):
        with pytest.raises(error):
            resources.create_network(network(name))
    with pytest.raises(NetworkDriverUnknown):
        resources.create_network(network("c", driver="overlay"))
    with pytest.raises(SubnetTaken):
        resources.create_network(network("c", AddressPool(subnet=first.bridge.subnet)))
    resources.remove_networks(["a"])
    assert [one.found.name for one in records.list_defined()] == ["b"]
    with pytest.raises(resources.NoSuchNetwork):
        resources.find_network("")


def test_a_volume_is_created_once() -> None:
    made = Volume(key="v", name="v-1", labels={"x": "1"})
    assert resources.create_volume(made) == "v-1"
    (paths.volume("v-1") / "_data/file").write_text("kept")
    assert resources.create_volume(Volume(key="v", name="v-1")) == "v-1"
    assert (paths.volume("v-1") / "_data/file").read_text() == "kept"
    assert resources.find_volume("v-1").labels == {"x": "1"}
    name = resources.create_volume(Volume(key="", name=""))
    assert resources.find_volume(name).anonymous
    with pytest.raises(store.VolumeOptionInvalid):
        resources.create_volume(Volume(key="v", name="v-2", driver_opts={"size": "1"}))
    with pytest.raises(resources.NoSuchVolume):
        resources.find_volume("v-2")


def test_filters() -> None:
    filters = resource_lists.parse_filters(
        ["label=a=1", "label!=b", "Label=c"], ("label", "label!")
    )
    assert filters == {"label": ["a=1", "c"], "label!": ["b"]}
    assert resource_lists.matches_labels({"a": "1", "c": ""}, filters)
    assert not resource_lists.matches_labels({"a": "2", "c": ""}, filters)
    assert not resource_lists.matches_labels({"a": "1", "c": "", "b": ""}, filters)
    assert resource_lists.matches_text("abc", ["^b", "c$"])
    assert not resource_lists.matches_text("abc", ["("])
    for texts in (["x"], ["x=1"]):
        with pytest.raises(resource_lists.FilterInvalid):
            resource_lists.parse_filters(texts, ("label",))


def test_lists_are_printed(cntnr: Run) -> None:
    assert cntnr("network", "ls", "--format", "{{.Name}}").out == ""
    assert cntnr("volume", "create", "v-1").out == "v-1\n"
    assert cntnr("volume", "ls").out == "DRIVER    VOLUME NAME\nlocal     v-1\n"
    assert cntnr("volume", "rm", "x").code == 1
    assert cntnr("network", "create").code == 1
