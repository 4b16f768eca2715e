"""The relay of a group: output of all, input of one, signals to all, until the last has ended."""

import contextlib
import os
import signal
import threading
from pathlib import Path

import pytest

from cntnr_compose.cli.flows.containers.creation.files import (
    FileNotWritten,
    IdFileExists,
    reserve_id_file,
    write_id,
)
from cntnr_compose.cli.flows.containers.creation.group_relay import GroupRelay
from cntnr_compose.cli.flows.containers.creation.random_name import random_name
from cntnr_compose.core.names import invalid_reason


class FakeContainer:
    """A container's end of an attach socket: packets come through a pipe, typed bytes are kept."""

    def __init__(self, *packets: tuple[int, bytes]) -> None:
        self._packets = list(packets)
        self._readable, self.writable = os.pipe()
        os.write(self.writable, b"x" * (len(packets) + 1))
        self.typed = b""
        self.is_closed = False

    def fileno(self) -> int:
        return self._readable

    def receive(self) -> tuple[int, bytes] | None:
        os.read(self._readable, 1)
        return self._packets.pop(0) if self._packets else None

    def send(self, typed: bytes) -> None:
        self.typed += typed

    def close_stdin(self) -> None:
        self.is_closed = True


def relay(
    *containers: FakeContainer, reader: FakeContainer | None = None, stdin: int = -1
) -> list[int]:
    """Relay to the end; return the signals that were passed on."""
    numbers: list[int] = []
    GroupRelay(containers, reader=reader, stdin=stdin, on_signal=numbers.append).run()  # type: ignore[arg-type]
    return numbers


def test_it_ends_with_the_last_container(capfd: pytest.CaptureFixture[str]) -> None:
    first = FakeContainer((1, b"a"), (2, b"wrong"))
    second = FakeContainer((1, b"b"), (1, b"c"), (1, b"d"))
    assert relay(first, second) == []
    out, err = capfd.readouterr()
    assert (sorted(out), err) == (["a", "b", "c", "d"], "wrong")


def test_our_input_is_that_of_one(capfd: pytest.CaptureFixture[str]) -> None:
    reader, other = FakeContainer(), FakeContainer()
    readable, writable = os.pipe()
    os.write(writable, b"typed")
    os.close(writable)
    reader.receive()  # nothing is there to relay before the input was read
    timer = threading.Timer(0.2, os.write, (reader.writable, b"x"))
    timer.start()
    relay(reader, other, reader=reader, stdin=readable)
    timer.join()
    assert (reader.typed, reader.is_closed) == (b"typed", True)
    assert (other.typed, other.is_closed) == (b"", False)


def test_signals_are_passed_on() -> None:
    container = FakeContainer()
    container.receive()
    timers = [
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)),
        threading.Timer(0.3, os.write, (container.writable, b"x")),
    ]
    for timer in timers:
        timer.start()
    assert relay(container) == [signal.SIGTERM]


def test_the_file_of_an_id_is_new_and_goes_again(tmp_path: Path) -> None:
    path = tmp_path / "id"
    with contextlib.ExitStack() as undo:
        reserve_id_file(str(path), undo)
        with pytest.raises(IdFileExists):
            reserve_id_file(str(path), undo)
        write_id(str(path), "abc")
        assert path.read_text() == "abc"
    assert not path.exists()
    with contextlib.ExitStack() as undo, pytest.raises(FileNotWritten):
        reserve_id_file(str(path / "below"), undo)


def test_random_names_are_names() -> None:
    names = {random_name() for _ in range(200)}
    assert len(names) > 150
    assert all(not invalid_reason("container", name) for name in names)
    assert random_name(digit=True)[-1].isdecimal()
