"""The host's resolv.conf is found below rootlesskit's mounts; its routes and addresses are avoided."""

from pathlib import Path

import pytest

from cntnr_compose.host import network

ROUTES = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
FIB_TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- {address}
        /32 host LOCAL
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 198.18.0.255
        /32 link BROADCAST
"""


def make_machine(folder: Path, *routes: tuple[str, str], address: str = "192.0.2.9") -> Path:
    """Write what the kernel tells of a machine with routes: interface, and a subnet as text."""
    place = folder / "self/net"
    place.mkdir(parents=True)
    rows = []
    for interface, text in routes:
        subnet = network.parse_subnet(text)
        mask = network.Subnet((0xFFFFFFFF << (32 - subnet.prefix)) & 0xFFFFFFFF, 32)
        digits = [bytes(map(int, each.nth(0).split(".")))[::-1].hex() for each in (subnet, mask)]
        rows.append(f"{interface} {digits[0]} 00000000 0001 0 0 0 {digits[1]} 0 0 0\n")
    (place / "route").write_text(ROUTES + "".join(rows))
    (place / "fib_trie").write_text(FIB_TRIE.format(address=address))
    return folder


@pytest.mark.parametrize(
    ("routes", "address", "uplink"),
    [
        ((), "192.0.2.9", "10.0.2.0/24"),
        ((("eth0", "0.0.0.0/0"), ("eth0", "192.168.1.0/24")), "192.168.1.7", "10.0.2.0/24"),
        ((("enp0s3", "0.0.0.0/0"), ("enp0s3", "10.0.2.0/24")), "10.0.2.15", "198.18.0.0/24"),
        ((("tun0", "10.0.0.0/8"), ("tun1", "198.18.0.0/16")), "192.0.2.9", "198.19.0.0/24"),
        ((("tun0", "10.0.0.0/8"), ("tun1", "198.16.0.0/12")), "192.0.2.9", "172.16.0.0/24"),
        ((("tun0", "0.0.0.0/1"), ("tun0", "128.0.0.0/1")), "192.0.2.9", "10.0.2.0/24"),
        ((("wg0", "192.0.2.0/24"),), "10.0.2.77", "198.18.0.0/24"),  # an address without a subnet
    ],
)
def test_the_uplink_is_free_of_the_machine_s_routes_and_addresses(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    routes: tuple[tuple[str, str], ...],
    address: str,
    uplink: str,
) -> None:
    machine = make_machine(tmp_path, *routes, address=address)
    chosen = network.choose_uplink(network.machine_subnets(machine))
    assert str(chosen) == uplink
    monkeypatch.setattr(network, "host_resolv_conf", lambda: "nameserver 127.0.0.53\n")
    assert network.name_server(chosen) == uplink.replace("0/24", "3")
    monkeypatch.setattr(network, "host_resolv_conf", lambda: "nameserver ::1\n")
    assert network.name_server(chosen) == network.NAME_SERVER_6


@pytest.mark.parametrize(
    ("resolv_conf", "needs"),
    [
        ("nameserver 2001:db8::53\nnameserver fe80::1%eth0\n", True),
        ("nameserver 2001:db8::53\nnameserver 192.0.2.53\n", False),
        ("# nameserver ::1\noptions edns0\nnameserver\n", False),
    ],
)
def test_only_name_servers_of_ipv6_need_an_uplink_of_ipv6(resolv_conf: str, needs: bool) -> None:
    assert network.needs_ipv6(resolv_conf) is needs


def test_a_network_that_has_ended_has_no_routes_and_a_full_one_gets_the_usual_uplink(
    tmp_path: Path,
) -> None:
    assert network.machine_subnets(tmp_path) == []
    everything = [network.parse_subnet("0.0.0.0/0")]
    assert str(network.choose_uplink(everything)) == network.DEFAULT_UPLINK


def test_the_hosts_resolver_is_read_through_links_from_where_they_lay(tmp_path: Path) -> None:
    etc, run = tmp_path / "etc", tmp_path / "run"
    (etc / ".ro12").mkdir(parents=True)
    run.mkdir()
    (run / "stub").write_text("nameserver 127.0.0.53\n")
    (etc / "resolv.conf").write_text("nameserver 10.0.2.3\n")
    (etc / ".ro12/resolv.conf").symlink_to("../run/stub")
    assert network.host_resolv_conf(etc) == "nameserver 127.0.0.53\n"
    (etc / ".ro12/resolv.conf").unlink()
    assert network.host_resolv_conf(etc) == "nameserver 10.0.2.3\n"
