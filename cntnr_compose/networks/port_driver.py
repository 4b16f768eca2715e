"""rootlesskit's port driver: publish ports of containers on the host.

Its API is HTTP on a unix socket. The driver connects to the container's own address, so no plugin and no rule
in the namespace is needed; the service sees the bridge's gateway as its client.
"""

import asyncio
import socket
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree, Value, field, from_json, to_json
from cntnr_compose.host import kernel, socket_peer


class PortTaken(CntnrError):
    """Another process listens on the port; a client looks up which, where the details have no ``by``."""

    def __init__(self, address: str, port: int, by: str = "") -> None:
        who = f" by {by}" if by else ""
        super().__init__(f"cannot publish port {port} on {address or '0.0.0.0'}: it is in use{who}")
        self.hint = "stop what listens there (`ss -ltnp`), or choose another port"
        self.details = {"port": port} | ({"by": by} if by else {})


class PortPrivileged(CntnrError):
    """An ordinary user may not listen on so low a port."""

    def __init__(self, port: int, lowest: int) -> None:
        super().__init__(
            f"cannot publish port {port}: ordinary users may use ports from {lowest} on"
        )
        self.hint = (
            f"publish a higher port such as {port + 8000}, or let an administrator run:"
            f" sysctl -w net.ipv4.ip_unprivileged_port_start={port}"
        )


class AddressUnknown(CntnrError):
    """A port is to be published on an address that this host does not have."""

    hint = "see `ip address` for those that it has; leave the address out to publish on all"

    def __init__(self, address: str, port: int) -> None:
        super().__init__(
            f"cannot publish port {port} on {address}: this machine has no such address"
        )


class PortRefused(CntnrError):
    """The port driver refuses a port for another reason."""

    def __init__(self, port: int, reason: str) -> None:
        super().__init__(f"cannot publish port {port}: {reason}")


class PortSpec(Value, frozen=True, kw_only=True):
    """One published port, in the API's words."""

    proto: str
    parent_ip: str = field(default="", name="parentIP")
    parent_port: int = field(name="parentPort")
    child_ip: str = field(name="childIP")
    child_port: int = field(name="childPort")


class DriverPort(Value, frozen=True, kw_only=True):
    """A published port, and the id that the port driver has for it."""

    id: int
    spec: PortSpec


def socket_path() -> Path:
    """Return the path of the API's socket inside the holder."""
    return paths.holder_tmpfs() / "api.sock"


async def publish_port(spec: PortSpec) -> DriverPort:
    """Publish a port.

    Raises `PortTaken`, `PortPrivileged`, `AddressUnknown`, `PortRefused`.
    """
    status, body = await _request("POST", "/v1/ports", to_json(spec))
    if status == 201:
        return from_json(body, DriverPort)
    reason = (
        str(from_json(body, Tree).get("message", "")) if body.startswith(b"{") else body.decode()
    )
    if "privileged port" in reason or "permission denied" in reason:
        raise PortPrivileged(spec.parent_port, lowest_unprivileged_port())
    if "conflict" in reason or "already in use" in reason:
        raise PortTaken(spec.parent_ip, spec.parent_port)
    if "cannot assign requested address" in reason:
        raise AddressUnknown(spec.parent_ip, spec.parent_port)
    raise PortRefused(spec.parent_port, reason.strip() or f"status {status}")


async def unpublish_port(number: int) -> None:
    """Unpublish a port; unknown is fine."""
    await _request("DELETE", f"/v1/ports/{number}")


async def list_ports() -> tuple[DriverPort, ...]:
    """List the published ports of all projects of the user."""
    status, body = await _request("GET", "/v1/ports")
    return (
        from_json(body, tuple[DriverPort, ...]) if status == 200 and body.strip() != b"null" else ()
    )


def lowest_unprivileged_port() -> int:
    """Return the lowest port that ordinary users may listen on."""
    return kernel.read_sysctl("net.ipv4.ip_unprivileged_port_start", default=1024)


def find_free_port(address: str, protocol: str) -> int:
    """Find an unused port of an address, in the caller's network namespace."""
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def has_ipv6() -> bool:
    """Check whether the host can listen on IPv6 addresses."""
    try:
        return bool(Path("/proc/net/if_inet6").read_text().strip())
    except OSError:
        return False


async def _request(method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    reader, writer = await asyncio.open_unix_connection(str(socket_path()))
    try:
        socket_peer.check_own_user(writer.get_extra_info("socket"), socket_path())
        head = (
            f"{method} {path} HTTP/1.0\r\nHost: rootlesskit\r\nContent-Type: application/json\r\n"
        )
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        answer = await reader.read()
    finally:
        writer.close()
    top, _, rest = answer.partition(b"\r\n\r\n")
    return int(top.split(b" ", 2)[1]), rest
