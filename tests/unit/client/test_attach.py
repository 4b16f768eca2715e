"""Bytes go between us and a container through conmon's socket."""

import contextlib
import os
import pty
import socket
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cntnr_compose.client.attach import (
    AttachConnection,
    CannotAttach,
    DetachKeys,
    DetachKeysInvalid,
    TerminalRelay,
    parse_detach_keys,
    raw_mode,
)


class FakeConmon:
    """Stand in for conmon: listen on the attach socket of a bundle."""

    def __init__(self, bundle: Path) -> None:
        self.bundle = bundle
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(bundle / "attach"))
        self.listener.listen(1)

    def accept(self) -> socket.socket:
        wire, _ = self.listener.accept()
        return wire


@pytest.fixture
def conmon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeConmon]:
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    fake = FakeConmon(Path())
    yield fake
    fake.listener.close()


def relayed(
    conmon: FakeConmon, answer: str, stdin: bytes = b"", *, keep_open: bool = False
) -> tuple[bool, list[tuple[int, bytes]], bytes]:
    """Relay while the other end reads all input and answers; return what came out at both ends."""
    attachment = AttachConnection(conmon.bundle, "web-1")
    wire = conmon.accept()
    read, write = os.pipe()
    os.write(write, stdin)
    if not keep_open:
        os.close(write)
    received = b""

    def other_end() -> None:
        nonlocal received
        while not keep_open and (part := wire.recv(100)):
            received += part
        for word in answer.split():
            wire.send({"o": b"\x02", "e": b"\x03"}[word[0]] + word[1:].encode())
        wire.close()

    thread = threading.Thread(target=other_end)
    thread.start()
    out: list[tuple[int, bytes]] = []
    relay = TerminalRelay(
        attachment, stdin=read, write=lambda number, text: out.append((number, text))
    )
    detached = relay.run()
    thread.join()
    attachment.close()
    os.close(read)
    if keep_open:
        os.close(write)
    return detached, out, received


def test_output_goes_to_the_stream_that_its_first_byte_names(conmon: FakeConmon) -> None:
    detached, out, _ = relayed(conmon, "oone etwo othree")
    assert not detached
    assert out == [(1, b"one"), (2, b"two"), (1, b"three")]


def test_input_goes_on_and_its_end_too(conmon: FakeConmon) -> None:
    _, out, received = relayed(conmon, "odone", b"typed\n")
    assert received == b"typed\n"
    assert out == [(1, b"done")]


def test_the_end_of_the_container_ends_it_though_input_goes_on(conmon: FakeConmon) -> None:
    _, out, _ = relayed(conmon, "obye", keep_open=True)
    assert out == [(1, b"bye")]


def test_a_container_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(CannotAttach, match="cannot attach to container web-1: No such file"):
        AttachConnection(tmp_path, "web-1")


def test_signals_are_passed_on_by_name(conmon: FakeConmon) -> None:
    attachment = AttachConnection(conmon.bundle, "web-1")
    wire = conmon.accept()
    names: list[str] = []

    def record_signal(name: str) -> None:
        names.append(name)
        wire.close()

    import signal

    before = signal.getsignal(signal.SIGUSR1)
    timer = threading.Timer(0.05, lambda: signal.raise_signal(signal.SIGUSR1))
    timer.start()
    assert not TerminalRelay(attachment, stdin=None, on_signal=record_signal).run()
    timer.join()
    attachment.close()
    assert names == ["SIGUSR1"]
    assert signal.getsignal(signal.SIGUSR1) is before


def test_a_size_is_told_through_the_control_pipe(conmon: FakeConmon) -> None:
    os.mkfifo("ctl")
    reader = os.open("ctl", os.O_RDONLY | os.O_NONBLOCK)
    attachment = AttachConnection(conmon.bundle, "web-1")
    attachment.resize(33, 77)
    assert os.read(reader, 100) == b"1 33 77\n"
    os.close(reader)
    attachment.resize(1, 1)  # nobody listens any more
    attachment.close()


def test_a_terminal_is_as_before_whatever_happens() -> None:
    leader, follower = pty.openpty()
    before = termios.tcgetattr(follower)
    during = []

    def fail() -> None:
        with raw_mode(follower):
            during.append(termios.tcgetattr(follower))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert during != [before]
    assert termios.tcgetattr(follower) == before
    os.close(leader)
    os.close(follower)


@pytest.mark.parametrize(
    ("typed", "sent", "detached"),
    [
        ([b"abc"], b"abc", False),
        ([b"ab\x10\x11cd"], b"ab", True),
        ([b"\x10", b"\x11"], b"", True),
        ([b"\x10", b"x"], b"\x10x", False),
        ([b"\x10\x10\x11"], b"\x10", True),
        ([b"\x11\x10"], b"\x11", False),
    ],
)
def test_keys_that_detach_are_kept_back_until_it_is_sure(
    typed: list[bytes], sent: bytes, detached: bool
) -> None:
    keys = DetachKeys()
    done = [keys.filter_input(part) for part in typed]
    assert b"".join(part for part, _ in done) == sent
    assert done[-1][1] is detached


def test_without_a_terminal_there_are_no_such_keys() -> None:
    assert DetachKeys(b"").filter_input(b"\x10\x11") == (b"\x10\x11", False)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("ctrl-p,ctrl-q", b"\x10\x11"),
        ("x", b"x"),
        ("a,b", b"ab"),
        ("ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", b"\x00\x1b\x1c\x1d\x1e\x1f"),
        ("ctrl-A,Z", b"\x01Z"),
    ],
)
def test_detach_keys_are_read(text: str, keys: bytes) -> None:
    assert parse_detach_keys(text) == keys


@pytest.mark.parametrize("text", ["ctrl-1", "ctrl-", "foo,bar", ",", "é", "ctrl-pq"])
def test_detach_keys_that_are_none(text: str) -> None:
    with pytest.raises(DetachKeysInvalid):
        parse_detach_keys(text)


def test_the_end_of_input_ends_the_containers_only_where_it_should(conmon: FakeConmon) -> None:
    attachment = AttachConnection(conmon.bundle, "web-1")
    wire = conmon.accept()
    read, write = os.pipe()
    os.close(write)
    received: list[bytes] = []

    def other_end() -> None:
        wire.send(b"\x02shown")
        wire.settimeout(0.2)
        with contextlib.suppress(TimeoutError):  # neither data nor the end comes
            received.append(wire.recv(10))
        wire.close()

    thread = threading.Thread(target=other_end)
    thread.start()
    TerminalRelay(attachment, stdin=read, closes_stdin=False, write=lambda *_: None).run()
    thread.join()
    attachment.close()
    os.close(read)
    assert received == []
