"""Parse the short syntax of ports, ``[IP:][HOST:]CONTAINER[/PROTOCOL]``, to the long syntax."""

from cntnr_compose.compose.basics.diagnostics import Path, fail
from cntnr_compose.core.frozen import Tree
from cntnr_compose.core.units import parse_port_range

PROTOCOLS = frozenset({"tcp", "udp", "sctp"})
OCTETS = frozenset(map(str, range(256)))


def parse_ports(spec: str, path: Path = ()) -> list[Tree]:
    """Parse one entry, which may stand for a range of ports; errors name ``path``.

    Raises `ComposeFileInvalid`.
    """
    host_ip, host, container = _split_entry(spec)
    protocol, container = _split_protocol(container)
    host_ip = _parse_ip(host_ip, path)
    if protocol.lower() not in PROTOCOLS:
        fail(f"invalid proto: {protocol}", path)
    first, last = _parse_range(container, "containerPort", path)
    low, high = _parse_range(host, "hostPort", path) if host else (0, 0)
    if host and last - first != high - low and last != first:
        ranges = f"{container} and {host}"
        fail(f"invalid ranges specified for container and host Ports: {ranges}", path)
    ports = []
    for number in range(first, last + 1):
        port: Tree = {"mode": "ingress", "target": number, "protocol": protocol.lower()}
        if not number:
            del port["target"]
        if host:
            is_choice = first == last and low != high  # any free port of a range
            port["published"] = f"{low}-{high}" if is_choice else str(low + number - first)
        if host_ip:
            port["host_ip"] = host_ip
        ports.append(port)
    return sorted(ports, key=lambda port: f"{port.get('target')}/{port['protocol']}")


def _split_entry(spec: str) -> tuple[str, str, str]:
    parts = spec.split(":")
    if len(parts) == 1:
        return "", "", parts[0]
    return ":".join(parts[:-2]), parts[-2], parts[-1]


def _split_protocol(container: str) -> tuple[str, str]:
    port, _, protocol = container.partition("/")
    if not port:
        return "", ""
    return protocol or "tcp", port


def _parse_ip(host_ip: str, path: Path) -> str:
    bare = host_ip
    if host_ip.startswith("["):
        bare, closed, rest = host_ip[1:].partition("]")
        if not closed or rest:
            fail(f"invalid IP address {host_ip}", path)
    if bare and not is_ip_address(bare):
        fail(f"invalid IP address: {bare}", path)
    return bare


def is_ip_address(text: str) -> bool:
    """Return whether a text is an IP address, without a zone."""
    if ":" not in text:
        parts = text.split(".")
        return len(parts) == 4 and all(part in OCTETS for part in parts)
    import socket

    try:
        socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        return False
    return True


def _parse_range(text: str, name: str, path: Path) -> tuple[int, int]:
    ports = parse_port_range(text)
    if ports is None:
        fail(f"invalid {name}: {text}", path)
    return ports
