"""The sockets and the firewall rule that make 127.0.0.11 answer."""

import asyncio
import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cntnr_compose.networks.dns import embedded_dns


def messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    while data:
        size, kind, flags = struct.unpack_from("=IHH", data)
        assert size % 4 == 0
        yield kind, flags, data[16:size]
        data = data[size:]


def attributes(data: bytes) -> dict[int, bytes]:
    attributes = {}
    while data:
        size, kind = struct.unpack_from("=HH", data)
        attributes[kind & 0x7FFF] = data[4:size]
        data = data[size + -size % 4 :]
    return attributes


def test_questions_leave_by_the_interface_with_its_address() -> None:
    [(kind, flags, body)] = messages(embedded_dns.route_message(7, "10.0.0.2"))
    assert (kind, flags & embedded_dns.ACK) == (embedded_dns.RTM_NEWROUTE, embedded_dns.ACK)
    assert (body[1], body[4]) == (32, embedded_dns.RT_TABLE_LOCAL)
    assert attributes(body[12:]) == {
        embedded_dns.RTA_DST: bytes([127, 0, 0, 11]),
        embedded_dns.RTA_OIF: struct.pack("=I", 7),
        embedded_dns.RTA_PREFSRC: bytes([10, 0, 0, 2]),
    }


def test_the_rule_is_one_transaction_that_tells_how_it_went() -> None:
    sent = list(messages(embedded_dns.nft_message("10.0.0.1")))
    assert [kind for kind, _, _ in sent] == [0x10, 0xA00, 0xA02, 0xA00, 0xA03, 0xA06, 0x11]
    assert [bool(flags & embedded_dns.ACK) for _, flags, _ in sent] == [False] * 5 + [True, False]
    chain = attributes(sent[4][2][4:])
    assert (chain[1], chain[3], chain[7]) == (b"cntnr\0", b"names\0", b"nat\0")
    rule = attributes(sent[5][2][4:])
    for part in (b"immediate\0", bytes([10, 0, 0, 1]), bytes([127, 0, 0, 11]), b"nat\0"):
        assert part in rule[4]


def test_why_it_cannot_be_is_told() -> None:
    names = embedded_dns.DnsRedirect(resolver="10.0.0.1", interface="eth0", address="10.0.0.2")
    assert asyncio.run(embedded_dns.redirect_queries(1 << 22, names)) == "No such file or directory"


def test_no_thread_more_is_told_and_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("full")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    names = embedded_dns.DnsRedirect(resolver="10.0.0.1", interface="eth0", address="10.0.0.2")
    before = set(Path("/proc/self/fd").iterdir())
    assert asyncio.run(embedded_dns.redirect_queries(os.getpid(), names)) == "full"
    assert {one.name for one in Path("/proc/self/fd").iterdir()} <= {one.name for one in before}
