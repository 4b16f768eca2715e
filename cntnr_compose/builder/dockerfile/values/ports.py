"""Read the ports of EXPOSE: ``80``, ``80/udp``, ``8000-8010``, and ``IP:HOST:PORT``, of which PORT counts."""

import ipaddress

from cntnr_compose.core.units import parse_port_range

PROTOCOLS = ("tcp", "udp", "sctp")


class PortInvalid(ValueError):
    """A word is no port."""


def parse_exposed_ports(word: str) -> list[str]:
    """Read a port or a range; return ``PORT/PROTOCOL`` of each. Raises `PortInvalid`."""
    address, _, host, container = _split(word)
    numbers, _, protocol = container.partition("/")
    protocol = protocol.lower() or "tcp"
    if not numbers:
        why = f"no port specified: {word}<empty>"
        raise PortInvalid(why)
    if protocol not in PROTOCOLS:
        why = f"invalid proto: {protocol}"
        raise PortInvalid(why)
    if address:
        _check_address(address)
    ports = parse_port_range(numbers)
    if ports is None:
        why = f"invalid containerPort: {numbers}"
        raise PortInvalid(why)
    host_ports = parse_port_range(host) if host else ports
    if host_ports is None:
        why = f"invalid hostPort: {host}"
        raise PortInvalid(why)
    low, high = ports
    if high != low and host_ports[1] - host_ports[0] != high - low:
        why = f"invalid ranges specified for container and host Ports: {numbers} and {host}"
        raise PortInvalid(why)
    return [f"{port}/{protocol}" for port in range(low, high + 1)]


def _split(word: str) -> tuple[str, str, str, str]:
    """Split ``IP:HOST:PORT/PROTOCOL``."""
    before, colon, container = word.rpartition(":")
    address, second, host = before.rpartition(":")
    return address, second, host, container if colon else word


def _check_address(address: str) -> None:
    try:
        ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        why = f"invalid IP address: {address}"
        raise PortInvalid(why) from None
