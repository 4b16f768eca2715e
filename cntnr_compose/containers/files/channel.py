"""Messages between a command and the worker inside the namespaces: values, and open files with them.

They travel over a pair of unix sockets that keep messages apart (unix(7), SOCK_SEQPACKET, SCM_RIGHTS).
"""

import array
import errno
import os
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias, cast

from cntnr_compose.containers.files.entry import TreeEntry
from cntnr_compose.core.values import Value, from_msgpack, to_msgpack

MAX_MESSAGE = 200_000  # bytes; one entry is less, by the limits on paths and attributes
MAX_ENTRIES = 32  # of a message: as many files may be open for it
FULL_SIZE = 16_000  # bytes: no entry is added to a message after that
RETRY_DELAY = 0.002


class Stat(Value, frozen=True, kw_only=True, tag="stat"):
    """Ask what a path is, without following its last part."""

    path: bytes


class Write(Value, frozen=True, kw_only=True, tag="write"):
    """Write the entries that follow below a folder of the container."""

    folder: bytes


class Extract(Value, frozen=True, kw_only=True, tag="extract"):
    """Extract a tar archive, whose open stream goes with the request, below a folder of the container."""

    folder: bytes


class Read(Value, frozen=True, kw_only=True, tag="read"):
    """Send the entries of a path, the top of them as ``top``."""

    path: bytes
    top: bytes = b""


class Pack(Value, frozen=True, kw_only=True, tag="pack"):
    """Write a path as a tar archive to the open stream that goes with the request."""

    path: bytes
    name: bytes = b""  # of the top in the archive


class Entries(Value, frozen=True, kw_only=True, tag="entries"):
    """Some entries; their open files go with them in order. An empty message ends the entries."""

    entries: tuple[TreeEntry, ...] = ()


class Reply(Value, frozen=True, kw_only=True, tag="reply"):
    """The end of a request: what was asked for, or the error."""

    error: str = ""
    hint: str = ""
    mode: int = 0  # of the path; 0 where it does not exist
    target: bytes = b""  # of a symbolic link
    unmapped: int = 0  # files whose owner does not exist in containers


Request: TypeAlias = Stat | Write | Extract | Read | Pack
Message: TypeAlias = Request | Entries | Reply


class ChannelClosed(Exception):
    """The other side has ended."""


class Channel:
    """One end of the socket pair."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._put_back: tuple[Message, list[int]] | None = None

    def close(self) -> None:
        """Close this end; the other side notices."""
        self._socket.close()

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Send a message and copies of open descriptors. Raises `ChannelClosed`."""
        data = to_msgpack(message)
        ancillary = [
            (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors).tobytes())
        ]
        while True:
            try:
                self._socket.sendmsg([data], ancillary if descriptors else [])
            except (BrokenPipeError, ConnectionResetError):
                raise ChannelClosed from None
            except OSError as error:
                # Only so many descriptors of a user may be on their way (unix(7), ETOOMANYREFS).
                if error.errno != errno.ETOOMANYREFS:
                    raise
                time.sleep(RETRY_DELAY)
            else:
                return

    def receive(self) -> tuple[Message, list[int]]:
        """Wait for a message; return it and the descriptors that came along. Raises `ChannelClosed`."""
        if self._put_back is not None:
            message, self._put_back = self._put_back, None
            return message
        room = socket.CMSG_SPACE(MAX_ENTRIES * array.array("i").itemsize)
        try:
            data, ancillary, _, _ = self._socket.recvmsg(MAX_MESSAGE, room, socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError:
            raise ChannelClosed from None
        descriptors = array.array("i")
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                descriptors.frombytes(content[: len(content) - len(content) % 4])
        if not data:
            raise ChannelClosed
        return from_msgpack(data, cast("type[Message]", Message)), list(descriptors)

    def has_message(self) -> bool:
        """Tell whether a message is there, or the other side has ended."""
        import select

        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def send_entries(self, entries: Iterable[tuple[TreeEntry, int | None]]) -> None:
        """Send entries with their open files, and close these; stop where the other side has a reply.

        Raises `ChannelClosed`.
        """
        batch: list[TreeEntry] = []
        files: list[int] = []
        size = 0
        try:
            for entry, descriptor in entries:
                batch.append(entry)
                size += len(entry.path) + len(entry.target) + len(entry.same_file) + 64
                size += sum(len(key) + len(value) for key, value in entry.xattrs)
                if descriptor is not None:
                    files.append(descriptor)
                if len(batch) == MAX_ENTRIES or size > FULL_SIZE:
                    self._send_batch(batch, files)
                    size = 0
                    if self.has_message():
                        break
            if batch:
                self._send_batch(batch, files)
        finally:
            _close_all(files)
        self.send(Entries())

    def _send_batch(self, batch: list[TreeEntry], files: list[int]) -> None:
        self.send(Entries(entries=tuple(batch)), files)
        _close_all(files)
        batch.clear()

    def receive_entries(self) -> Iterator[tuple[TreeEntry, int | None]]:
        """Yield entries with their open files, which are closed when the next one is asked for.

        A reply ends them, too, and is received next. Raises `ChannelClosed`.
        """
        while True:
            message, files = self.receive()
            try:
                if not isinstance(message, Entries):
                    self._put_back = message, []
                    return
                if not message.entries:
                    return
                position = 0
                for entry in message.entries:
                    descriptor = None
                    if entry.has_content:
                        descriptor, position = files[position], position + 1
                    yield entry, descriptor
            finally:
                _close_all(files)


def _close_all(descriptors: list[int]) -> None:
    while descriptors:
        os.close(descriptors.pop())
