"""hosts, resolv.conf and hostname are written as docker writes them."""

from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.containers.bundle import etc_files
from cntnr_compose.core import paths
from cntnr_compose.core.values import replace
from cntnr_compose.host import network
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import NetworkAttachment, Service

ID = "0123456789abcdef"


@pytest.fixture(autouse=True)
def bundle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    monkeypatch.setattr(paths, "bundle", lambda _id: tmp_path)
    return tmp_path


def record(**service: Any) -> Record:
    definition = Service(name="web", **service)
    return Record(id=ID, name="shop-web-1", project="shop", service="web", definition=definition)


def test_files_name_the_container_and_its_resolver(bundle: Path) -> None:
    web = record(dns_search=("example.com",), dns_opt=("ndots:2",))
    assert etc_files.write_etc_files(web, bundle, None, "10.9.0.1") == {
        f"/etc/{name}": str(bundle / "etc" / name) for name in ("hosts", "resolv.conf", "hostname")
    }
    assert (bundle / "etc/hostname").read_text() == f"{ID[:12]}\n"
    assert (bundle / "etc/resolv.conf").read_text().splitlines() == [
        "nameserver 10.9.0.1",
        "search example.com",
        "options timeout:1 attempts:3 ndots:2",
    ]


def test_a_shared_network_comes_with_its_files(bundle: Path) -> None:
    files = etc_files.write_etc_files(record(), bundle, record(), "")
    assert files["/etc/hosts"] == str(bundle / "etc/hosts")
    assert not (bundle / "etc/hosts").exists()  # that is the owner's to write
    owner = record(hostname="box")
    assert etc_files.choose_hostname(record(), owner) == "box"
    assert etc_files.choose_hostname(record(hostname="other"), owner) == "other"


def test_hosts_have_extra_names_and_own_addresses(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "host_address", lambda: "192.0.2.1")
    extra = {"outside": ("host-gateway",), "other": ("10.0.0.1", "10.0.0.2")}
    web = record(hostname="box", domainname="lan", extra_hosts=extra)
    etc_files.write_hosts(web, {"shop_default": "10.9.0.2"})
    assert (bundle / "etc/hosts").read_text().splitlines()[6:] == [
        "192.0.2.1\toutside",
        "10.0.0.1\tother",
        "10.0.0.2\tother",
        "10.9.0.2\tbox.lan box",
    ]


@pytest.mark.parametrize(
    ("oneoff", "own"),
    [
        (False, ["shop-web-1", ID[:12], "web", "web.shop.internal"]),
        (True, ["shop-web-1", ID[:12]]),
    ],
)
def test_dns_names_are_listed_by_network(oneoff: bool, own: list[str]) -> None:
    attachments = {"a": NetworkAttachment(aliases=("web", "www")), "b": NetworkAttachment()}
    networks = {"a": "shop_a", "b": "shop_b"}
    web = replace(record(networks=attachments), networks=networks, oneoff=oneoff)
    names = etc_files.list_dns_names(web)
    plain = [name for name in own if not name.endswith(".internal")]
    first = list(dict.fromkeys([*plain, "web", "www"]))
    assert names == {
        network: [*each, *own[len(plain) :], *(f"{name}._name.internal" for name in each)]
        for network, each in (("shop_a", first), ("shop_b", plain))
    }


def test_networks_are_sorted_by_priority_then_name() -> None:
    service = Service(
        name="web",
        networks={
            "b": NetworkAttachment(),
            "a": NetworkAttachment(),
            "c": NetworkAttachment(priority=5),
        },
    )
    assert [key for key, _ in etc_files.sort_networks(service)] == ["c", "a", "b"]
