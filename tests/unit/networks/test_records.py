"""Records of networks are files under the network's name."""

from pathlib import Path

from cntnr_compose.networks import records
from tests.unit.networks.world import managed_network


def test_a_record_under_another_name_is_no_network(holder_tmpfs: Path) -> None:
    records.write_network(managed_network("p_a"))
    assert [network.found.name for network in records.list_networks()] == ["p_a"]
    (holder_tmpfs / "networks/p_a.json").rename(holder_tmpfs / "networks/p_b.json")
    assert records.list_networks() == []
