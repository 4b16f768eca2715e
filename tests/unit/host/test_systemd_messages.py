"""Calls of D-Bus, byte by byte, and what is read of replies."""

import struct

import pytest

from cntnr_compose.host.systemd import messages
from cntnr_compose.host.systemd.messages import encode_call


def test_a_call_has_a_header_that_ends_at_eight_bytes_and_a_body() -> None:
    call = encode_call("/a", "b", "c", "su", "x", 5)
    assert struct.unpack_from("<BBBBII", call) == (ord("l"), messages.CALL, 0, 1, 12, 1)
    fields, body = struct.unpack_from("<I", call, 12)[0], call[-12:]
    assert len(call) == 16 + fields + -fields % 8 + 12
    assert call[16:32] == b"\x01\x01o\0\x02\0\0\0/a\0" + bytes(5)
    assert body == b"\x01\0\0\0x\0" + bytes(2) + b"\x05\0\0\0"


def test_structs_and_variants_are_aligned() -> None:
    properties = [("Delegate", ("b", True)), ("PIDs", ("au", [7]))]
    call = encode_call("/a", "b", "c", "a(sv)", properties)
    delegate = b"\x08\0\0\0Delegate\0\x01b\0\x01\0\0\0"
    pids = b"\x04\0\0\0PIDs\0\x02au" + bytes(4) + b"\x04\0\0\0\x07\0\0\0"
    # The length leaves out what comes before the first element, which begins at eight bytes.
    array = struct.pack("<I", 24 + len(pids)) + bytes(4) + delegate + bytes(4) + pids
    assert call.endswith(array)


def test_signatures_are_split_at_complete_types() -> None:
    assert list(messages._split("ssa(sv)a(sa(sv))u")) == ["s", "s", "a(sv)", "a(sa(sv))", "u"]


def test_the_start_of_a_reply_tells_what_follows() -> None:
    start = messages.START.pack(ord("l"), messages.RETURN, 0, 1, 10, 4, 13)
    assert messages.decode_start(start) == (messages.RETURN, 16 + 10)


@pytest.mark.parametrize(
    "start",
    [
        messages.START.pack(ord("B"), 2, 0, 1, 0, 0, 0),
        messages.START.pack(ord("l"), 2, 0, 9, 0, 0, 0),
        messages.START.pack(ord("l"), 2, 0, 1, 1 << 30, 0, 0),
    ],
)
def test_what_is_no_message_is_refused(start: bytes) -> None:
    with pytest.raises(ValueError, match="no message"):
        messages.decode_start(start)
