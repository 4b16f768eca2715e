"""The process that reads and writes files of one container: it is in the holder's user namespace.

It is forked by the command, and does what that asks for over a `Channel`, until the command closes it.
"""

import contextlib
import os
import signal
import socket
import stat
from collections.abc import Iterator
from typing import NoReturn

from cntnr_compose.containers.files import rules
from cntnr_compose.containers.files.channel import (
    Channel,
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
from cntnr_compose.containers.files.errors import (
    CannotCopy,
    ExtractsToFile,
    WorkerFailed,
    explain,
    make_printable,
    no_such_file,
)
from cntnr_compose.containers.files.reader import TreeReader
from cntnr_compose.containers.files.root import (
    ContainerRoot,
    mount_stopped_root,
    open_running_root,
)
from cntnr_compose.containers.files.writer import TreeWriter
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value
from cntnr_compose.host.children import forks
from cntnr_compose.host.namespaces import holder, isolation
from cntnr_compose.host.openat2 import Root
from cntnr_compose.model.observed import Container

ABSENT = (FileNotFoundError, NotADirectoryError)  # of a path through a file, too


class Target(Value, frozen=True, kw_only=True):
    """The container to work on, and whether only its root file system is, without what is mounted in it."""

    container: Container
    rootfs_only: bool = False


def start_worker(namespaces: holder.NamespaceHolder, target: Target) -> tuple[Channel, int]:
    """Fork a worker; return our end of its channel, and its pid. Closing the channel ends it.

    Not from a thread beside which others run: the child could wait for a lock that they hold.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = forks.fork_child((theirs.fileno(),))
    if pid:
        theirs.close()
        return Channel(ours), pid
    try:
        _run(Channel(theirs), namespaces, target)
    finally:
        os._exit(1)


def _run(channel: Channel, namespaces: holder.NamespaceHolder, target: Target) -> NoReturn:
    """Serve until the command hangs up. A signal ends it, after the file that is half written is removed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command gets it, and closes the channel
    signal.signal(signal.SIGTERM, _exit_on_signal)
    try:
        root = _open_root(channel, namespaces, target)
        _Worker(channel, root, target.container.name).serve()
    except ChannelClosed:
        pass
    except Exception as error:  # noqa: BLE001 - the command tells it
        with contextlib.suppress(ChannelClosed):
            channel.receive()
            channel.send(_error_reply(error))
    os._exit(0)


def _exit_on_signal(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(1)


def _open_root(
    channel: Channel, namespaces: holder.NamespaceHolder, target: Target
) -> ContainerRoot:
    container = target.container
    if container.status.pid:
        holder.join_user_namespace(namespaces)
        if target.rootfs_only:
            rootfs = paths.bundle(container.record.id) / "rootfs"
            return ContainerRoot(Root(namespaces.proc_root_path(rootfs)))
        return open_running_root(namespaces, container)
    holder.join_namespaces(namespaces)
    child = os.fork()  # only a child is in the pid namespace, whose /proc is mounted there
    if child:
        channel.close()
        signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
        os.waitpid(child, 0)
        os._exit(0)
    isolation.unshare_mounts()
    return mount_stopped_root(container.record, rootfs_only=target.rootfs_only)


def _error_reply(error: Exception) -> Reply:
    match error:
        case CntnrError():
            known: CntnrError = error
        case OSError():
            known = explain(error, error.filename or "")
        case _:
            known = WorkerFailed(error)
    return Reply(error=make_printable(str(known)), hint=make_printable(known.hint))


class _Worker:
    """Answer the requests of a command, one after the other."""

    def __init__(self, channel: Channel, root: ContainerRoot, name: str) -> None:
        self._channel = channel
        self._root = root
        self._name = name

    def serve(self) -> None:
        """Answer until the command hangs up. Raises `ChannelClosed`."""
        while True:
            request, descriptors = self._channel.receive()
            try:
                reply: Reply | None = self._answer(request, descriptors)
            except ChannelClosed:
                raise
            except Exception as error:  # noqa: BLE001 - the command tells it
                reply = _error_reply(error)
            finally:
                for descriptor in descriptors:
                    with contextlib.suppress(OSError):
                        os.close(descriptor)
            if reply is not None:
                self._channel.send(reply)

    def _answer(self, request: Message, descriptors: list[int]) -> Reply | None:
        """Do what is asked for; None where the reply was sent already."""
        match request:
            case Stat(path=path):
                return self._stat(os.fsdecode(path))
            case Write(folder=folder):
                return self._write(os.fsdecode(folder))
            case Extract(folder=folder):
                return self._extract(os.fsdecode(folder), descriptors[0])
            case Read():
                self._read(request)
            case Pack():
                self._pack(request, descriptors[0])
            case Entries() | Reply():
                pass  # left over from a request that failed
        return Reply()

    def _locate(self, path: str) -> tuple[int, str, os.stat_result]:
        """Find a path without following its last part; return its folder, open, its name and its status.

        Raises `CannotCopy` where it does not exist.
        """
        absolute = rules.keep_ending(rules.clean_path("/" + path), path)
        folder, _, name = absolute.rpartition("/")
        try:
            parent = self._root.root.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except ABSENT:
            raise no_such_file(path, self._name) from None
        except OSError as error:
            raise explain(error, path, self._name) from error
        try:
            status = os.stat(name or ".", dir_fd=parent, follow_symlinks=False)
            if status.st_dev in self._root.kernel_devices:
                raise FileNotFoundError
        except OSError as error:
            os.close(parent)
            if not isinstance(error, ABSENT):
                raise explain(error, path, self._name) from error
            raise no_such_file(path, self._name) from None
        return parent, name or ".", status

    def _stat(self, path: str) -> Reply:
        try:
            parent, name, status = self._locate(path)
        except CannotCopy as error:
            if isinstance(error.__cause__, OSError):
                raise
            return Reply()
        try:
            is_link = stat.S_ISLNK(status.st_mode)
            target = os.readlink(os.fsencode(name), dir_fd=parent) if is_link else b""
        finally:
            os.close(parent)
        return Reply(mode=status.st_mode, target=target)

    def _open_target(self, folder: str) -> bytes:
        """Find the folder to write to, and return its real path. Raises `CannotCopy`."""
        clean = rules.clean_path("/" + folder)
        try:
            descriptor = self._root.root.open(clean)
        except ABSENT:
            raise no_such_file(clean, self._name) from None
        except OSError as error:
            raise explain(error, clean, self._name) from error
        try:
            status = os.fstat(descriptor)
            if status.st_dev in self._root.kernel_devices:
                raise no_such_file(clean, self._name)
            if not stat.S_ISDIR(status.st_mode):
                raise ExtractsToFile(clean)
            real = self._root.root.name_of(descriptor)
            self._root.check_writable(real, descriptor)
            return os.fsencode(real)
        finally:
            os.close(descriptor)

    def _write(self, folder: str) -> Reply | None:
        received = self._channel.receive_entries()
        try:
            with self._writer(folder) as writer:
                for entry, content in received:
                    writer.write(entry, content)
        except ChannelClosed:
            raise
        except Exception as error:  # noqa: BLE001
            self._channel.send(_error_reply(error))  # at once, so that it sends no more
            for _ in received:
                pass
            return None
        return Reply(unmapped=writer.unmapped)

    def _extract(self, folder: str, archive: int) -> Reply:
        from cntnr_compose.containers.files.tar_stream import extract_archive

        with self._writer(folder) as writer, open(archive, "rb", closefd=False) as stream:
            extract_archive(stream, writer.write)
        return Reply(unmapped=writer.unmapped)

    @contextlib.contextmanager
    def _writer(self, folder: str) -> Iterator[TreeWriter]:
        """Yield a writer below a folder of the container. Raises `CannotCopy`."""
        writer = TreeWriter(self._root.root, self._open_target(folder))
        try:
            yield writer
            writer.finish()
        finally:
            writer.close()

    def _read(self, request: Read) -> None:
        parent, name, _ = self._locate(os.fsdecode(request.path))
        try:
            reader = TreeReader(self._root.skipped_devices)
            self._channel.send_entries(reader.read(parent, os.fsencode(name), request.top))
        except OSError:
            self._channel.send(Entries())
            raise
        finally:
            os.close(parent)

    def _pack(self, request: Pack, archive: int) -> None:
        from cntnr_compose.containers.files.tar_stream import write_archive

        parent, name, _ = self._locate(os.fsdecode(request.path))
        try:
            reader = TreeReader(self._root.skipped_devices)
            with open(archive, "wb", closefd=False) as stream:
                write_archive(
                    stream, reader.read(parent, os.fsencode(name)), os.fsdecode(request.name)
                )
        finally:
            os.close(parent)
