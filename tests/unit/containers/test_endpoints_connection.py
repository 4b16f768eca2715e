"""Networks of a container that does not run: its record says them, and its next start obeys."""

from typing import Any

import pytest

from cntnr_compose.containers.endpoints import connection, live
from cntnr_compose.containers.endpoints.connection import (
    AliasInvalid,
    EndpointExists,
    NetworkGone,
    NetworkShared,
    NotConnected,
    WithoutNetworks,
)
from cntnr_compose.containers.managed import ManagedContainer
from cntnr_compose.containers.state import records
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import ignore_event
from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import Record
from cntnr_compose.model.plan import ConnectNetwork, DisconnectNetwork
from cntnr_compose.model.service import NetworkAttachment
from cntnr_compose.networks import address_claims, ip_nft
from cntnr_compose.networks import records as network_records
from cntnr_compose.networks.dns import dnsmasq
from cntnr_compose.networks.interfaces import AddressRefused
from tests.unit.containers.machine import PID, Machine, Play
from tests.unit.networks.world import managed_network


@pytest.fixture(autouse=True)
def _networks(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ignore(*_words: object, **_more: object) -> None:
        """Do nothing."""

    monkeypatch.setattr(ip_nft, "is_bridge_complete", lambda *_: True)
    monkeypatch.setattr(ip_nft, "apply_nft_rules", ignore)
    monkeypatch.setattr(dnsmasq, "is_running", lambda _name: True)


def connect(name: str, **attachment: Any) -> ConnectNetwork:
    return ConnectNetwork(name="p-web-1", network=name, attachment=NetworkAttachment(**attachment))


def on_disk(container: ManagedContainer) -> Record:
    [written] = records.read_containers("p")
    assert written.record == container.record
    return written.record


def add_network(name: str) -> None:
    network_records.records_folder().mkdir(parents=True, exist_ok=True)
    network_records.write_network(managed_network(name))


def test_the_record_of_a_stopped_container_says_its_networks(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container(networks={"net": "p_net"})
        add_network("net")
        await connection.connect(container, connect("net", aliases=("x",)), ignore_event)
        record = on_disk(container)
        assert record.networks == {"net": "p_net", "net_": "net"}  # the key of the file is taken
        assert record.definition.networks["net_"].aliases == ("x",)
        await connection.connect(container, connect("net", ipv4_address="10.128.0.9"), ignore_event)
        assert on_disk(container).definition.networks["net_"].ipv4_address == "10.128.0.9"
        address_claims.write_claim(
            "net", "10.128.0.9", container.record.id,
            address_claims.AddressClaim(project="p", name="p-web-1"),
        )  # fmt: skip
        leave = DisconnectNetwork(name="p-web-1", network="net")
        await connection.disconnect(container, leave, ignore_event)
        assert on_disk(container).networks == {"net": "p_net"}
        assert "net_" not in container.record.definition.networks
        assert address_claims.list_claims("net") == {}
        with pytest.raises(NotConnected):
            await connection.disconnect(container, leave, ignore_event)
        assert machine.actions() == []  # none of the container's

    play(scenario)


def test_what_cannot_be_is_refused_and_changes_nothing(play: Play) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container()
        add_network("net")
        refused: list[tuple[str, ConnectNetwork, type[CntnrError]]] = [
            ("", connect("absent"), NetworkGone),
            ("", connect("net", aliases=("a b\n",)), AliasInvalid),
            ("", connect("net", ipv4_address="10.9.9.9"), AddressRefused),
            ("none", connect("net"), WithoutNetworks),
            ("host", connect("net"), NetworkShared),
            ("service:other", connect("net"), NetworkShared),
            ("container:other", connect("net"), NetworkShared),
        ]
        before = container.record
        for mode, operation, error in refused:
            definition = replace(before.definition, network_mode=mode)
            container.record = replace(before, definition=definition)
            with pytest.raises(error):
                await connection.connect(container, operation, ignore_event)
            assert container.record.networks == {}
        container.record = before
        assert on_disk(container) == before

    play(scenario)


def test_a_running_container_changes_at_once(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container()
        await container.start(ignore_event)
        add_network("net")
        calls: list[str] = []

        def call(name: str) -> Any:
            async def note(*_words: object, **_more: object) -> None:
                calls.append(f"{name} {sorted(container.record.networks)}")
                if name in machine.fails:
                    raise live.AttachFailed("p-web-1", "net", "it fails")

            return note

        for name in ("attach", "detach", "refresh"):
            monkeypatch.setattr(live, name, call(name))
        machine.fails.add("attach")
        with pytest.raises(live.AttachFailed):
            await connection.connect(container, connect("net"), ignore_event)
        assert on_disk(container).networks == {}
        machine.fails.clear()
        await connection.connect(container, connect("net"), ignore_event)
        with pytest.raises(EndpointExists):
            await connection.connect(container, connect("net"), ignore_event)
        leave = DisconnectNetwork(name="p-web-1", network="net")
        await connection.disconnect(container, leave, ignore_event)
        assert calls == [
            "attach []", "attach []", "refresh ['net']", "detach ['net']", "refresh []",
        ]  # fmt: skip

    play(scenario)


def test_an_interface_that_its_plugins_leave_is_removed_by_force(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(machine: Machine) -> None:
        container = machine.container()
        await container.start(ignore_event)
        folder = paths.bundle(container.record.id) / "cni"
        folder.mkdir(parents=True)
        for name in ("eth1.conf", "eth1.result"):
            (folder / name).write_text('{"name": "net"}')
        calls: list[str] = []

        async def run(verb: str, _id: str, pid: int, interface: str) -> None:
            calls.append(f"{verb} {interface} of {pid}")

        async def remove(pid: int, interface: str) -> None:
            calls.append(f"ip link del {interface} of {pid}")

        monkeypatch.setattr(live.cni, "run_plugins", run)
        monkeypatch.setattr(live.ip_nft, "interface_names", lambda _pid: {"eth1"})
        monkeypatch.setattr(live.ip_nft, "remove_interface", remove)
        with pytest.raises(live.DetachFailed, match="left the interface eth1"):
            await live.detach(container, "net", force=False)
        assert (folder / "eth1.conf").exists()
        await live.detach(container, "net", force=True)
        assert list(folder.iterdir()) == []
        assert calls[1:] == [f"del eth1 of {PID}", f"ip link del eth1 of {PID}"]

    play(scenario)
