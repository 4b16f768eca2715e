"""The short syntax of ports."""

from typing import Any

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.transform.port_syntax import is_ip_address, parse_ports


def port(target: int, published: str = "", host_ip: str = "", protocol: str = "tcp") -> Any:
    optional = {"published": published, "host_ip": host_ip}
    required = {"mode": "ingress", "target": target, "protocol": protocol}
    return required | {key: value for key, value in optional.items() if value}


@pytest.mark.parametrize(
    ("spec", "ports"),
    [
        ("80", [port(80)]),
        ("8080:80", [port(80, "8080")]),
        ("0:80", [port(80, "0")]),
        (":80", [port(80)]),
        ("80/UDP", [port(80, protocol="udp")]),
        ("127.0.0.1:8080:80", [port(80, "8080", "127.0.0.1")]),
        ("127.0.0.1::80", [port(80, "", "127.0.0.1")]),
        ("::1:80:80", [port(80, "80", "::1")]),
        ("[::1]:80:80", [port(80, "80", "::1")]),
        ("8-9", [port(8), port(9)]),
        ("8000-8005:80", [port(80, "8000-8005")]),
        ("9-10:9-10/udp", [port(10, "10", protocol="udp"), port(9, "9", protocol="udp")]),
    ],
)
def test_an_entry_is_parsed(spec: str, ports: list[Any]) -> None:
    assert parse_ports(spec) == ports


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "invalid proto: "),
        ("80:", "invalid proto: "),
        ("80/x/y", "invalid proto: x/y"),
        ("80/icmp", "invalid proto: icmp"),
        ("x", "invalid containerPort: x"),
        ("+80", "invalid containerPort: +80"),
        ("5-3", "invalid containerPort: 5-3"),
        ("65536", "invalid containerPort: 65536"),
        ("web:80", "invalid hostPort: web"),
        ("1.2.3.4:80", "invalid hostPort: 1.2.3.4"),
        ("1.2.3.04:80:80", "invalid IP address: 1.2.3.04"),
        ("[::1:80:80", "invalid IP address"),
        ("8-9:8-10", "invalid ranges specified for container and host Ports: 8-10 and 8-9"),
    ],
)
def test_invalid_entries_are_refused(spec: str, message: str) -> None:
    with pytest.raises(ComposeFileInvalid) as raised:
        parse_ports(spec, ("ports", 0))
    assert message in str(raised.value)
    assert raised.value.diagnostics[0].path == ("ports", 0)


@pytest.mark.parametrize("text", ["300.0.0.1", "1.2.3", "01.2.3.4", "fe80::1%eth0", "x", "1:2"])
def test_invalid_addresses_are_recognized(text: str) -> None:
    assert not is_ip_address(text)
    assert is_ip_address("10.0.0.255")
    assert is_ip_address("fe80::1")
