"""Configuration of a dnsmasq, and the files with the names it serves."""

from pathlib import Path

import pytest

from cntnr_compose.networks.dns import dnsmasq
from cntnr_compose.networks.dns.dnsmasq import DnsView, config_text


@pytest.fixture(autouse=True)
def holder_tmpfs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(dnsmasq.paths, "holder_tmpfs", lambda: tmp_path)
    dnsmasq.names_folder().mkdir()
    return tmp_path


def test_it_listens_on_its_address_and_serves_its_networks(holder_tmpfs: Path) -> None:
    lines = config_text(DnsView(name="v", address="10.0.0.1", networks=("a", "b"))).splitlines()
    assert "listen-address=10.0.0.1" in lines
    assert [line for line in lines if line.startswith("hostsdir")] == [
        f"hostsdir={holder_tmpfs}/names/hosts/a",
        f"hostsdir={holder_tmpfs}/names/hosts/b",
    ]
    assert "no-resolv" not in lines


def test_a_services_own_servers_take_the_place_of_the_holders() -> None:
    lines = config_text(
        DnsView(name="v", address="1", networks=("a",), upstream=("9.9.9.9",))
    ).splitlines()
    assert "server=9.9.9.9" in lines
    assert "no-resolv" in lines


def test_internal_networks_learn_no_other_names() -> None:
    view = DnsView(name="v", address="1", networks=("a",), upstream=("9.9.9.9",), closed=True)
    lines = config_text(view).splitlines()
    assert "no-resolv" in lines
    assert not any(line.startswith("server=") for line in lines)


def test_aliases_stand_for_names() -> None:
    view = DnsView(name="v", address="1", networks=("a",), aliases=(("x", "a.p.internal"),))
    assert "cname=x,a.p.internal" in config_text(view).splitlines()


def test_names_are_complete_or_absent(holder_tmpfs: Path) -> None:
    dnsmasq.add_names("a", "id1", "10.0.0.2", ["web-1", "web"])
    assert (holder_tmpfs / "names/hosts/a/id1").read_text() == "10.0.0.2 web-1 web\n"
    assert [path.name for path in (holder_tmpfs / "names").iterdir()] == ["hosts"]
    dnsmasq.remove_names("a", "id1")
    dnsmasq.remove_names("a", "id1")
    assert not list((holder_tmpfs / "names/hosts/a").iterdir())


def test_a_pid_file_of_another_program_is_no_resolver() -> None:
    (dnsmasq.names_folder() / "v.pid").write_text("1")
    assert not dnsmasq.is_running("v")
    assert not dnsmasq.is_running("w")
