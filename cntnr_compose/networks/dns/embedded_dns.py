"""Redirect DNS queries to 127.0.0.11, in a container's own network, to the project's DNS server.

A route sends queries for it out by the interface with that interface's address, and one nft rule replaces
127.0.0.11 by the server's address. So nothing needs `route_localnet`, by which neighbours could reach what
listens on a container's 127.0.0.1. Both are added by netlink(7) from a thread that has joined the namespace:
0.3 ms, where `nsenter`, `ip` and `nft` take 8 ms of every start.
"""

import asyncio
import ctypes
import os
import socket
import struct
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from ipaddress import IPv4Address

from cntnr_compose.core.values import Seconds, Value
from cntnr_compose.host import process
from cntnr_compose.host.kernel import CLONE_NEWNET

ADDRESS = "127.0.0.11"
PORT = 53
TABLE = b"cntnr"
CHAIN = b"names"
NETLINK_TIMEOUT: Seconds = 2
_libc = ctypes.CDLL(None, use_errno=True)
# linux/netlink.h, linux/rtnetlink.h
NLMSG_ERROR, REQUEST, ACK, CREATE, REPLACE = 2, 0x1, 0x4, 0x400, 0x100
RTM_NEWROUTE, RT_TABLE_LOCAL, RTPROT_STATIC, RT_SCOPE_LINK, RTN_UNICAST = 24, 255, 4, 253, 1
RTA_DST, RTA_OIF, RTA_PREFSRC = 1, 4, 7
# linux/netfilter/nfnetlink.h, nf_tables.h
NETLINK_NETFILTER, BATCH_BEGIN, BATCH_END, NFTABLES = 12, 0x10, 0x11, 10
NEWTABLE, DELTABLE, NEWCHAIN, NEWRULE = 0, 2, 3, 6
NESTED = 0x8000
LOCAL_OUT, BEFORE_FILTERS = 3, -100
NETWORK_HEADER, TRANSPORT_HEADER, REGISTER = 1, 2, 1


class DnsRedirect(Value, frozen=True, kw_only=True):
    """The DNS server, and the container's interface and address for queries."""

    resolver: str
    interface: str
    address: str


async def redirect_queries(pid: int, redirect: DnsRedirect) -> str:
    """Redirect 127.0.0.11 in the network of a process; return the reason of a failure, else nothing.

    An earlier redirection is replaced.
    """
    try:
        namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        return error.strerror or str(error)
    result: Future[str] = Future()
    # A thread of its own, since it can never go back to the host's network.
    thread = threading.Thread(
        target=_configure_namespace, args=(namespace, redirect, result), name="names"
    )
    try:
        thread.start()
    except RuntimeError as error:  # the limit of processes is reached
        os.close(namespace)
        return str(error)
    return await process.run_shielded(_wait_for(result))


async def _wait_for(result: Future[str]) -> str:
    return await asyncio.wrap_future(result)


def _configure_namespace(namespace: int, redirect: DnsRedirect, result: Future[str]) -> None:
    try:
        _join(namespace)
        index = socket.if_nametoindex(redirect.interface)
        _send_netlink(socket.NETLINK_ROUTE, route_message(index, redirect.address))
        _send_netlink(NETLINK_NETFILTER, nft_message(redirect.resolver))
    except OSError as error:
        result.set_result(error.strerror or str(error))
    except BaseException as error:  # noqa: BLE001 - raised in the awaiting task
        result.set_exception(error)
    else:
        result.set_result("")


def _join(namespace: int) -> None:
    try:
        if _libc.setns(namespace, CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, f"setns: {os.strerror(code)}")
    finally:
        os.close(namespace)


def _send_netlink(family: int, messages: bytes) -> None:
    """Send messages of which one asks for a reply. Raises `OSError` for the first refusal."""
    with socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family
    ) as connection:
        connection.settimeout(NETLINK_TIMEOUT)
        connection.sendto(messages, (0, 0))
        reply = connection.recv(1 << 16)
    kind, code = struct.unpack_from("=4xH10xi", reply)
    if kind == NLMSG_ERROR and code:
        raise OSError(-code, os.strerror(-code))


def route_message(index: int, source: str) -> bytes:
    """Build the message for the route of queries, which precedes the kernel's own of 127.0.0.0/8."""
    head = struct.pack(
        "=8BI", socket.AF_INET, 32, 0, 0,
        RT_TABLE_LOCAL, RTPROT_STATIC, RT_SCOPE_LINK, RTN_UNICAST, 0,
    )  # fmt: skip
    body = (
        _attribute(RTA_DST, IPv4Address(ADDRESS).packed)
        + _attribute(RTA_OIF, struct.pack("=I", index))
        + _attribute(RTA_PREFSRC, IPv4Address(source).packed)
    )
    return _message(RTM_NEWROUTE, REQUEST | ACK | CREATE | REPLACE, head + body)


def nft_message(resolver: str) -> bytes:
    """Build the messages for the table with ``ip daddr 127.0.0.11 th dport 53 dnat to RESOLVER``."""
    hook = _attribute(1, _number(LOCAL_OUT)) + _attribute(2, _number(BEFORE_FILTERS))
    chain = (
        _attribute(1, TABLE + b"\0") + _attribute(3, CHAIN + b"\0")
        + _attribute(4 | NESTED, hook) + _attribute(7, b"nat\0")
    )  # fmt: skip
    expressions = (
        *_compare_header(NETWORK_HEADER, 16, IPv4Address(ADDRESS).packed),
        *_compare_header(TRANSPORT_HEADER, 2, struct.pack("!H", PORT)),
        _expression(b"immediate", _register(1), (2 | NESTED, _value(IPv4Address(resolver).packed))),
        _expression(b"nat", (1, _number(1)), (2, _number(socket.AF_INET)), _register(3)),
    )
    table = _attribute(1, TABLE + b"\0")
    rule = (
        _attribute(1, TABLE + b"\0") + _attribute(2, CHAIN + b"\0")
        + _attribute(4 | NESTED, b"".join(expressions))
    )  # fmt: skip
    return b"".join((
        _nft(BATCH_BEGIN, REQUEST, b"", family=0, subject=NFTABLES),
        _nft(NFTABLES << 8 | NEWTABLE, REQUEST | CREATE, table),
        _nft(NFTABLES << 8 | DELTABLE, REQUEST, table),
        _nft(NFTABLES << 8 | NEWTABLE, REQUEST | CREATE, table),
        _nft(NFTABLES << 8 | NEWCHAIN, REQUEST | CREATE, chain),
        _nft(NFTABLES << 8 | NEWRULE, REQUEST | CREATE | ACK, rule),
        _nft(BATCH_END, REQUEST, b"", family=0, subject=NFTABLES),
    ))  # fmt: skip


def _compare_header(base: int, offset: int, value: bytes) -> Sequence[bytes]:
    """Build the expressions that compare a part of a header with a value."""
    where = ((2, _number(base)), (3, _number(offset)), (4, _number(len(value))))
    return (
        _expression(b"payload", _register(1), *where),
        _expression(b"cmp", _register(1), (2, _number(0)), (3 | NESTED, _value(value))),
    )


def _expression(name: bytes, *parts: tuple[int, bytes]) -> bytes:
    data = b"".join(_attribute(*part) for part in parts)
    return _attribute(1 | NESTED, _attribute(1, name + b"\0") + _attribute(2 | NESTED, data))


def _register(kind: int) -> tuple[int, bytes]:
    return kind, _number(REGISTER)


def _value(data: bytes) -> bytes:
    return _attribute(1, data)


def _number(value: int) -> bytes:
    return struct.pack("!i", value)


def _attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def _nft(
    kind: int, flags: int, body: bytes, *, family: int = socket.AF_INET, subject: int = 0
) -> bytes:
    return _message(kind, flags, struct.pack("!BBH", family, 0, subject) + body)


def _message(kind: int, flags: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body
