"""The short syntax of ports, ``[IP:][HOST:]CONTAINER[/PROTOCOL]``, to the long one."""

from cntnr_compose.compose.basics.diagnostics import Path, fail
from cntnr_compose.core.frozen import Tree
from cntnr_compose.core.units import parse_port_range

PROTOCOLS = frozenset({"tcp", "udp", "sctp"})
OCTETS = frozenset(map(str, range(256)))


def parse_ports(spec: str, path: Path = ()) -> list[Tree]:
    """Read the short syntax, which can mean several ports; ``path`` is told where it is wrong.

    Raises `ComposeFileInvalid`.
    """
    host_ip, host, container = _split(spec)
    protocol, container = _protocol(container)
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
            published = (
                f"{low}-{high}" if first == last and low != high else str(low + number - first)
            )
            port["published"] = published
        if host_ip:
            port["host_ip"] = host_ip
        ports.append(port)
    return sorted(ports, key=lambda one: f"{one.get('target')}/{one['protocol']}")


def _split(spec: str) -> tuple[str, str, str]:
    parts = spec.split(":")
    if len(parts) == 1:
        return "", "", parts[0]
    return ":".join(parts[:-2]), parts[-2], parts[-1]


def _protocol(container: str) -> tuple[str, str]:
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
    """Tell whether a text is an address that can be listened on."""
    if ":" not in text:
        parts = text.split(".")
        return len(parts) == 4 and all(one in OCTETS for one in parts)
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
