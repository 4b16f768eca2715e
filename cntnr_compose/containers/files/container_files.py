"""Read and write files of a container, running or stopped, through a worker in the namespaces."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from typing import Self

from cntnr_compose.containers.files.channel import (
    ChannelClosed,
    Entries,
    Extract,
    Message,
    Pack,
    Read,
    Reply,
    Stat,
    Write,
)
from cntnr_compose.containers.files.entry import TreeEntry
from cntnr_compose.containers.files.errors import CannotCopy, explain
from cntnr_compose.containers.files.worker import Target, start_worker
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import proc
from cntnr_compose.host.namespaces.holder import NamespaceHolder
from cntnr_compose.model.observed import Container

CONTAINER_ROOT = 0


class WorkerEnded(CntnrError):
    """The worker was killed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the copy of files of container {name} was ended from outside")


class ContainerFiles:
    """The files of one container, for as long as it goes on as it is: started or stopped, open them again.

    The worker is forked, so open it before this process has other threads, or where they hold no locks.
    """

    def __init__(
        self, namespaces: NamespaceHolder, container: Container, *, rootfs_only: bool = False
    ) -> None:
        """Start the worker: for a container that does not run, hold the change lock of its project."""
        self.name = container.name
        self.map_owner = read_owner_map(namespaces.child)
        target = Target(container=container, rootfs_only=rootfs_only)
        self._channel, self._worker = start_worker(namespaces, target)

    def __enter__(self) -> Self:
        """Keep the worker for a block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the worker; where the block failed, in the middle of its work."""
        if kind is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._worker, signal.SIGTERM)
        self.close()

    def close(self) -> None:
        """End the worker."""
        self._channel.close()
        os.waitpid(self._worker, 0)

    def stat(self, path: str) -> Reply | None:
        """Return mode and link target of a path, without following its last part; None where it is not there.

        Raises `CannotCopy`.
        """
        reply = self._ask(Stat(path=os.fsencode(path)))
        return reply if reply.mode else None

    def write(self, folder: str, entries: Iterable[tuple[TreeEntry, int | None]]) -> int:
        """Write entries with their open files, which are closed, below an existing folder.

        Missing folders between are made; entries with mode `REMOVED` are removed. Return how many files
        became root's because their owner does not exist in containers. Raises `CannotCopy`.
        """
        self._send(Write(folder=os.fsencode(folder)))
        try:
            self._channel.send_entries(entries)
        except ChannelClosed:
            pass  # the reply says why, if there is one
        except OSError as error:
            self._channel.send(Entries())
            self._receive_reply()
            raise explain(error, error.filename or b"") from error
        return self._receive_reply().unmapped

    def extract(self, folder: str, archive: int) -> int:
        """Extract a tar archive from a descriptor below an existing folder; return as `write` does.

        Raises `CannotCopy`.
        """
        return self._ask(Extract(folder=os.fsencode(folder)), archive).unmapped

    def read(self, path: str, top: bytes = b"") -> Iterator[tuple[TreeEntry, int | None]]:
        """Yield the entries of a path, which begin with ``top``, each with its open file, if it is one.

        The file is closed when the next entry is asked for. Raises `CannotCopy`.
        """
        self._send(Read(path=os.fsencode(path), top=top))
        with contextlib.suppress(ChannelClosed):
            yield from self._channel.receive_entries()
        self._receive_reply()

    def pack(self, path: str, archive: int, name: str) -> None:
        """Write a path to a descriptor as a tar archive, its top by ``name``. Raises `CannotCopy`."""
        self._ask(Pack(path=os.fsencode(path), name=os.fsencode(name)), archive)

    def _ask(self, request: Message, *descriptors: int) -> Reply:
        self._send(request, *descriptors)
        return self._receive_reply()

    def _send(self, request: Message, *descriptors: int) -> None:
        try:
            self._channel.send(request, descriptors)
        except ChannelClosed:
            self._receive_reply()

    def _receive_reply(self) -> Reply:
        try:
            reply, _ = self._channel.receive()
        except ChannelClosed:
            raise WorkerEnded(self.name) from None
        assert isinstance(reply, Reply)
        if reply.error:
            raise CannotCopy(reply.error, reply.hint)
        return reply


def read_owner_map(pid: int) -> Callable[[int, int], tuple[int, int]]:
    """Return how owners of the host's files are called in containers: our own files are root's.

    So it is in bind mounts, too. Ids that are not mapped become root.
    """
    users, groups = (proc.read_id_map(pid, kind) for kind in ("uid", "gid"))
    cache: dict[tuple[int, int], tuple[int, int]] = {}

    def map_owner(uid: int, gid: int) -> tuple[int, int]:
        owner = cache.get((uid, gid))
        if owner is None:
            owner = cache[uid, gid] = (
                proc.map_id(uid, users, unmapped=CONTAINER_ROOT),
                proc.map_id(gid, groups, unmapped=CONTAINER_ROOT),
            )
        return owner

    return map_owner
