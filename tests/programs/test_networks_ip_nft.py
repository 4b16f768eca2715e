"""ip, nft and dnsmasq, started on the holder's network."""

import asyncio
from pathlib import Path

import pytest

from cntnr_compose.networks import ip_nft
from cntnr_compose.networks.dns import dnsmasq
from cntnr_compose.networks.ip_nft import Bridge, NetworkFailed
from tests.fakes.programs import Programs

BRIDGE = Bridge(name="br-a", gateway="10.0.0.1/24", subnet="10.0.0.0/24")


def test_a_bridge_is_made_in_one_call(programs: Programs, tmp_path: Path) -> None:
    programs.add("nsenter", f'cat >"{tmp_path}/input"')
    asyncio.run(ip_nft.create_bridge("p_a", BRIDGE))
    assert programs.calls("nsenter") == [["--net=/proc/1/ns/net", "ip", "-batch", "-"]]
    assert (tmp_path / "input").read_text() == ip_nft.bridge_commands(BRIDGE)


def test_what_ip_says_reaches_the_user(programs: Programs) -> None:
    programs.add("nsenter", "cat >/dev/null; echo 'RTNETLINK answers: File exists' >&2; exit 1")
    with pytest.raises(
        NetworkFailed, match="cannot set network p_a up: RTNETLINK answers: File exists"
    ):
        asyncio.run(ip_nft.create_bridge("p_a", BRIDGE))


def test_tearing_down_goes_on_when_a_bridge_is_gone(programs: Programs) -> None:
    programs.add("nsenter", 'cat >/dev/null; case "$2" in ip) exit 1;; esac')
    asyncio.run(ip_nft.remove_bridges(["br-a"], "p_x"))
    assert [call[1] for call in programs.calls("nsenter")] == ["ip", "nft"]


def test_what_cannot_be_taken_away_does_not_keep_the_rest(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs.add("nsenter", 'cat >/dev/null; echo "$2 is broken" >&2; exit 1')
    monkeypatch.setattr(ip_nft, "interface_names", lambda: {"br-a"})
    with pytest.raises(ip_nft.NetworkStays, match=r"^cannot take network n down: ip is broken$"):
        asyncio.run(ip_nft.remove_bridges(["br-a"], "p_x", name="n"))
    assert [call[1] for call in programs.calls("nsenter")] == ["ip", "nft"]
    monkeypatch.setattr(ip_nft, "interface_names", set)
    with pytest.raises(ip_nft.NetworkStays, match=r"^cannot take network n down: nft is broken$"):
        asyncio.run(ip_nft.remove_bridges(["br-a"], "p_x", name="n"))


def test_a_bridge_that_another_has_made_meanwhile_is_taken(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ip_nft, "interface_names", lambda: {"br-a"})
    programs.add("nsenter", f'cat >>"{tmp_path}/input"; ! grep -q "link add" "{tmp_path}/input"')
    with pytest.raises(NetworkFailed):
        asyncio.run(ip_nft.create_bridge("p_a", BRIDGE))
    programs.add("nsenter", 'if grep "link add"; then exit 1; fi')
    asyncio.run(ip_nft.create_bridge("p_a", BRIDGE))


@pytest.mark.parametrize("is_there", [True, False])
def test_a_bridge_gets_what_it_lacks(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_there: bool
) -> None:
    monkeypatch.setattr(ip_nft, "interface_names", lambda: {"br-a"} if is_there else set())
    programs.add("nsenter", f'cat >>"{tmp_path}/input"')
    asyncio.run(ip_nft.repair_bridge("p_a", BRIDGE, ["10.0.0.254"], ["veth1"]))
    lines = (
        "link set br-a mtu 65520 up\naddr replace 10.0.0.1/24 dev br-a\n"
        "addr replace 10.0.0.254/32 dev br-a\n"
    )
    made = "" if is_there else ip_nft.bridge_commands(BRIDGE) + "link set veth1 master br-a\n"
    assert (tmp_path / "input").read_text() == made + lines


def test_a_resolver_is_started_with_its_file(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dnsmasq.paths, "holder_tmpfs", lambda: tmp_path)
    programs.add("nsenter")
    asyncio.run(dnsmasq.start(dnsmasq.DnsView(name="v", address="10.0.0.1", networks=("p_a",))))
    file = dnsmasq.names_folder() / "v.conf"
    assert programs.calls("nsenter")[0][1:] == ["dnsmasq", f"--conf-file={file}"]
    assert "listen-address=10.0.0.1" in file.read_text()
    assert dnsmasq.hosts_folder("p_a").is_dir()
