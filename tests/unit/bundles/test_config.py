"""config.json of a bundle: a plain one, with the hooks of its network."""

from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.bundles import config
from cntnr_compose.bundles.config import BundleRefused
from cntnr_compose.bundles.place import BundlePlace
from cntnr_compose.containers.runtime import host_facts
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import Mount, NetworkAttachment, Service

ROWS = {kind: [(0, 1000, 1), (1, 100000, 65536)] for kind in ("uid", "gid")}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BundlePlace:
    asked: list[str] = []
    (tmp_path / "rootfs").mkdir()
    monkeypatch.setattr(host_facts, "gather_host_facts", lambda **_: HostFacts())
    monkeypatch.setattr(config, "find_hook_program", lambda: "/bin/cntnr-hook")
    for name in config.HOOK_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setattr(config.lists, "find_list", lambda name, _: asked.append(name))
    monkeypatch.setattr(config.lists, "plugin_folder", lambda: tmp_path)
    return BundlePlace(name="web", path=tmp_path)


def build(place: BundlePlace, publish: tuple[str, ...] = (), **keys: Any) -> Any:
    service = Service(name="bundle", image="busybox", **{"command": ("sh",), **keys})
    image = ImageConfig(labels={"a": "b"}, exposed_ports={"80/tcp": {}}, stop_signal="SIGINT")
    result = config.build_config(place, service, image, ROWS, rootfs=place.rootfs, publish=publish)
    return result.spec


def test_paths_are_relative_and_ids_the_user_s(place: BundlePlace) -> None:
    spec = build(place)
    assert spec["root"]["path"] == "rootfs"
    sources = {one["destination"]: one["source"] for one in spec["mounts"]}
    assert sources["/etc/hosts"] == "etc/hosts"
    assert {"type": "user"} in spec["linux"]["namespaces"]
    assert spec["linux"]["gidMappings"][0] == {"containerID": 0, "hostID": 1000, "size": 1}
    assert "resources" not in spec["linux"]
    assert "additionalGids" not in spec["process"]["user"]
    assert spec["annotations"] == {
        "a": "b", "cntnr.bundle": "web", "org.opencontainers.image.stopSignal": "SIGINT",
        "org.opencontainers.image.exposedPorts": "80/tcp",
    }  # fmt: skip


def test_the_hook_gets_what_the_network_is_to_be(place: BundlePlace) -> None:
    spec = build(
        place, ("127.0.0.1:8080:80",), networks={"a": NetworkAttachment(), "b": NetworkAttachment()},
        dns=("9.9.9.9",), dns_search=("x.test",), dns_opt=("ndots:1",), domainname="home.test",
        extra_hosts={"db": ("10.0.0.7",)},
    )  # fmt: skip
    [first], [join], [last] = (
        spec["hooks"][kind] for kind in ("prestart", "createContainer", "poststop")
    )
    assert first["path"] == "/bin/cntnr-hook"
    assert first["args"] == [
        "cntnr-hook", "net", "init", "--hostname=web", "--domainname=home.test", "--dns=9.9.9.9",
        "--dns-search=x.test", "--dns-opts=ndots:1", "--hosts-entry=db=10.0.0.7",
        "--publish=127.0.0.1:8080:80", "a", "b",
    ]  # fmt: skip
    assert first["env"][1:] == ["HOME=/home/me"]
    assert join["args"] == ["cntnr-hook", "net", "join"]
    assert last["args"] == ["cntnr-hook", "net", "rm", "a", "b"]


@pytest.mark.parametrize("mode", ["host", "none"])
def test_without_a_network_there_is_no_hook(place: BundlePlace, mode: str) -> None:
    assert "hooks" not in build(place, network_mode=mode)
    kinds = [one["type"] for one in build(place, network_mode=mode)["linux"]["namespaces"]]
    assert ("network" in kinds) is (mode == "none")
    with pytest.raises(BundleRefused, match="--publish takes a network"):
        build(place, ("8080:80",), network_mode=mode)


def test_mounts_are_of_folders_that_are_there(place: BundlePlace) -> None:
    volume = Mount(type="volume", source="data", target="/d")
    with pytest.raises(BundleRefused, match="its type is volume"):
        build(place, volumes=(volume,))
    gone = Mount(type="bind", source=f"{place.path}/gone", target="/d")
    with pytest.raises(BundleRefused, match="no such file"):
        build(place, volumes=(gone,))


def test_files_in_etc_are_the_bundle_s(place: BundlePlace) -> None:
    service = Service(name="bundle", image="x", extra_hosts={"db": ("10.0.0.7",)})
    config.write_etc_files(place, service)
    assert "10.0.0.7\tdb\n" in (place.path / "etc/hosts").read_text()
    assert (place.path / "etc/hostname").read_text() == "web\n"
    victim = place.path / "victim"
    victim.write_text("mine")
    (place.path / "etc/hosts").unlink()
    (place.path / "etc/hosts").symlink_to(victim)
    config.write_etc_files(place, service)
    assert victim.read_text() == "mine"
