"""Networks and volumes are removed one by one, and those in use stay."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from cntnr_compose.core import paths
from cntnr_compose.core.values import from_json, to_json
from cntnr_compose.host import files, mounts
from cntnr_compose.model.project import Volume
from cntnr_compose.model.removal import RemovalRequest, RemovalResult
from cntnr_compose.networks import records
from cntnr_compose.networks.dns import dnsmasq
from cntnr_compose.supervisor import removal
from cntnr_compose.volumes import store
from tests.unit.networks.world import managed_network


@pytest.fixture
def remove(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[[RemovalRequest], list[RemovalResult]]:
    files.remove_tree(paths.data())
    monkeypatch.setattr(paths, "holder_tmpfs", lambda: tmp_path)
    monkeypatch.setattr(mounts, "unmount_all", lambda _folder: None)

    def call(request: RemovalRequest) -> list[RemovalResult]:
        line = io.BytesIO(to_json(request) + b"\n")
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=line))
        removal.main()
        return [from_json(each, RemovalResult) for each in capsys.readouterr().out.splitlines()]

    return call


def test_volumes(
    remove: Callable[[RemovalRequest], list[RemovalResult]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("v-1", "v-2"):
        store.create_volume(Volume(key=name, name=name), "", {}, "")
        (paths.volume(name) / "_data/file").write_text("12345")
    users = [SimpleNamespace(id="ab" * 32)]
    monkeypatch.setattr(removal, "volume_users", lambda name: users if name == "v-1" else [])
    in_use, removed = remove(RemovalRequest(volumes=("v-1", "v-2")))
    assert in_use.error == f"remove v-1: volume is in use - [{'ab' * 32}]"
    assert removed == RemovalResult(name="v-2", size=5)
    assert list(store.observe_volumes()) == ["v-1"]


def test_networks(remove: Callable[[RemovalRequest], list[RemovalResult]]) -> None:
    for name in ("idle", "busy"):
        records.write_defined(managed_network(name))
    dnsmasq.add_names("busy", "cd" * 32, "10.0.0.2", ["web"])
    idle, busy = remove(RemovalRequest(networks=("idle", "busy")))
    assert idle == RemovalResult(name="idle")
    assert 'network busy has active endpoints (name:"" id:"cdcdcdcdcdcd")' in busy.error
    assert [network.found.name for network in records.list_defined()] == ["busy"]
