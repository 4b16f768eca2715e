import os
import socket
import stat
import threading
from collections.abc import Iterator

import pytest

from cntnr_compose.containers.files.channel import Channel, ChannelClosed, Entries, Reply, Stat
from cntnr_compose.containers.files.entry import TreeEntry
from tests.fakes.descriptors import open_files


@pytest.fixture
def pair() -> Iterator[tuple[Channel, Channel]]:
    left, right = map(Channel, socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    yield left, right
    left.close()
    right.close()


def entry(number: int, mode: int = stat.S_IFREG, **more: bytes) -> TreeEntry:
    return TreeEntry(path=b"%d" % number, mode=mode, **more)  # type: ignore[arg-type]


def test_messages_arrive_as_they_are(pair: tuple[Channel, Channel]) -> None:
    left, right = pair
    left.send(Stat(path=b"/a b"))
    left.send(Reply(error="no", target=b"\xff"))
    assert right.receive() == (Stat(path=b"/a b"), [])
    assert right.receive() == (Reply(error="no", target=b"\xff"), [])
    left.close()
    with pytest.raises(ChannelClosed):
        right.receive()
    with pytest.raises(ChannelClosed):
        right.send(Reply())


def test_files_go_with_their_entries(pair: tuple[Channel, Channel]) -> None:
    left, right = pair

    def files():  # type: ignore[no-untyped-def]
        for number in range(100):
            if number % 3 == 0:
                yield entry(number, stat.S_IFDIR), None
            else:
                descriptor = os.memfd_create("an-entry")
                os.write(descriptor, b"%d" % number)
                yield entry(number), descriptor

    thread = threading.Thread(target=left.send_entries, args=(files(),))
    thread.start()
    received = []
    for each, descriptor in right.receive_entries():
        if descriptor is not None:
            assert os.pread(descriptor, 10, 0) == each.path
        received.append(each.path)
    thread.join()
    assert received == [b"%d" % number for number in range(100)]
    assert open_files("/memfd:an-entry") == []


def test_long_entries_fit_into_messages(pair: tuple[Channel, Channel]) -> None:
    left, right = pair
    long = TreeEntry(
        path=b"p" * 4096, mode=stat.S_IFLNK, target=b"t" * 4096, xattrs=((b"user.x", bytes(60000)),)
    )
    thread = threading.Thread(target=left.send_entries, args=([(long, None)] * 50,))
    thread.start()
    assert [each for each, _ in right.receive_entries()] == [long] * 50
    thread.join()


def test_the_sender_stops_where_a_reply_is_there(pair: tuple[Channel, Channel]) -> None:
    left, right = pair
    right.send(Reply(error="full"))
    sent = 0

    def endless():  # type: ignore[no-untyped-def]
        nonlocal sent
        while True:
            sent += 1
            yield entry(sent, stat.S_IFDIR), None

    left.send_entries(endless())
    assert sent < 100
    assert left.receive()[0] == Reply(error="full")


def test_a_reply_ends_entries_and_is_received_next(pair: tuple[Channel, Channel]) -> None:
    left, right = pair
    left.send(Entries(entries=(entry(1, stat.S_IFDIR),)))
    left.send(Reply(error="gone"))
    assert [each.path for each, _ in right.receive_entries()] == [b"1"]
    assert right.receive() == (Reply(error="gone"), [])
