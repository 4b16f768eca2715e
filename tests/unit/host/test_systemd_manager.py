"""Calls of a systemd that a thread of the test stands in for."""

import contextlib
import os
import queue
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import jeepney
import pytest
from jeepney import DBusAddress, HeaderFields, Message, Parser

from cntnr_compose.host.systemd.manager import MAX_SIZE, Manager

HEXED_UID = str(os.getuid()).encode().hex().encode()
OK = b"OK 1234\r\n"
CALL = jeepney.new_method_call(DBusAddress("/a", "a.b", "a.b"), "Do")
CALL.header.serial = 1
SIGNAL = jeepney.new_signal(DBusAddress("/a", interface="a.b"), "JobNew", "uos", (7, "/a/7", "x"))
Served = queue.Queue[Message]


def raw_message(kind: int, fields: bytes = b"", body: int = 0) -> bytes:
    """Make a message of little endian by hand."""
    start = struct.pack("<cBBBIII", b"l", kind, 0, 1, body, 9, len(fields))
    return start + fields + bytes(-len(fields) % 8 + min(body, 8))


def write(*messages: Message) -> bytes:
    return b"".join(message.serialise(serial=9) for message in messages)


@contextlib.contextmanager
def systemd(folder: Path, *answers: bytes, greeting: bytes = OK) -> Iterator[tuple[Path, Served]]:
    """Serve one connection: greet, answer a call with each of the answers, and hang up."""
    path, calls = folder / "private", Served()

    def run() -> None:
        with listener.accept()[0] as connection:
            assert connection.recv(100) == b"\0AUTH EXTERNAL " + HEXED_UID + b"\r\nBEGIN\r\n"
            connection.sendall(greeting)
            for answer in answers:
                parser = Parser()
                while (call := parser.get_next_message()) is None:
                    parser.add_data(connection.recv(1))
                calls.put(call)
                connection.sendall(answer)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=run)
        thread.start()
        yield path, calls
        thread.join(10)
        assert not thread.is_alive()


@contextlib.contextmanager
def connected(path: Path) -> Iterator[Manager]:
    manager = Manager.connect(path)
    assert manager is not None
    with contextlib.closing(manager):
        yield manager


def test_a_call_names_systemd_and_has_its_values(tmp_path: Path) -> None:
    properties = [("Delegate", ("b", True)), ("PIDs", ("au", [7]))]
    with (
        systemd(tmp_path, write(jeepney.new_method_return(CALL))) as (path, calls),
        connected(path) as manager,
    ):
        manager.send("StartTransientUnit", "ssa(sv)a(sa(sv))", "a.scope", "fail", properties, [])
        assert manager.receive()
        assert manager.error == ""
        call = calls.get(timeout=10)
    assert call.body == ("a.scope", "fail", properties, [])
    assert call.header.fields == {
        HeaderFields.path: "/org/freedesktop/systemd1",
        HeaderFields.destination: "org.freedesktop.systemd1",
        HeaderFields.interface: "org.freedesktop.systemd1.Manager",
        HeaderFields.member: "StartTransientUnit",
        HeaderFields.signature: "ssa(sv)a(sa(sv))",
    }


def test_a_reply_is_found_among_signals(tmp_path: Path) -> None:
    done = write(SIGNAL, jeepney.new_method_return(CALL, "o", ("/job/1",)), SIGNAL)
    refused = write(SIGNAL, jeepney.new_error(CALL, "a.UnitExists", "s", ("Unit x\0exists.",)))
    # It may send signals at once, with its greeting.
    with (
        systemd(tmp_path, done, refused, greeting=OK + write(SIGNAL)) as (path, _),
        connected(path) as manager,
    ):
        manager.send("Do", "s", "it")
        assert manager.receive()
        manager.send("Do", "s", "it")
        assert not manager.receive()
        assert manager.error == "a.UnitExists Unit x exists."


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense of sixteen bytes",
        raw_message(9),
        raw_message(2, body=MAX_SIZE + 1),
        raw_message(2, b"\x63\x01s\0\1\0\0\0x\0"),  # a field that there is not
        raw_message(2, b"\x08\x01g\0\x01(\0"),  # a signature without an end
        raw_message(2, b"\x08\x01g\0\x01Z\0"),  # a type that there is not
        raw_message(2, b"\x08\x01g\0\x01s\0", 2),  # a body that is too short
        raw_message(2, b"\x08\x01g\0\x01s\0", 1 << 19)[:-8] + b"v\1v\0" * (1 << 17),
    ],
)
def test_nonsense_is_no_reply(answer: bytes, tmp_path: Path) -> None:
    with systemd(tmp_path, answer) as (path, _), connected(path) as manager:
        manager.send("Do", "s", "it")
        assert not manager.receive()
        assert manager.error == "it sent what is no message of D-Bus"


def test_a_manager_that_hangs_up_fails(tmp_path: Path) -> None:
    with (
        systemd(tmp_path, write(jeepney.new_method_return(CALL))[:20]) as (path, _),
        connected(path) as manager,
    ):
        manager.send("Do", "s", "it")
        assert not manager.receive()
        assert manager.error == "it has disconnected"
        manager.send("Do", "s", "it")
        assert not manager.receive()


@pytest.mark.parametrize("greeting", [b"REJECTED\r\n", b"x" * 9000, b""])
def test_who_does_not_greet_is_no_manager(greeting: bytes, tmp_path: Path) -> None:
    assert Manager.connect(tmp_path / "nothing") is None
    with systemd(tmp_path, greeting=greeting) as (path, _):
        assert Manager.connect(path) is None
