"""What `doctor` says of networks."""

from cntnr_compose.doctor.network_checks import check_subnets, check_way_out
from cntnr_compose.host.network import Route, parse_subnet


def test_subnets_that_overlap_are_told_with_their_interfaces() -> None:
    used = [
        Route("tap0", parse_subnet("10.0.2.0/24")),
        Route("br-a", parse_subnet("10.128.0.0/20")),
    ]
    assert check_subnets(used, [parse_subnet("192.168.1.0/24")]).found.startswith("10.0.2.0/24 ")
    check = check_subnets(used, [parse_subnet("10.128.9.0/24"), parse_subnet("10.0.2.15/32")])
    assert check.state == "reduced"
    assert "10.0.2.0/24 (tap0) and 10.0.2.15/32" in check.found
    assert "10.128.0.0/20 (br-a) and 10.128.9.0/24" in check.found


def test_what_the_next_start_will_take_is_told() -> None:
    assert check_subnets([], [parse_subnet("10.0.2.0/24")]).found.startswith("198.18.0.0/24 ")


def test_a_machine_without_address_or_name_server_is_told() -> None:
    assert check_way_out([], "nameserver ::1").state == "reduced"
    assert "no server" in check_way_out(["192.0.2.1"], "search example.org\n").found
    assert check_way_out(["192.0.2.1"], "nameserver 127.0.0.53").found == (
        "from 192.0.2.1; names by 127.0.0.53"
    )
