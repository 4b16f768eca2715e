"""What the worker answers, on folders that stand for the root of a container."""

import io
import os
import socket
import stat
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

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
from cntnr_compose.containers.files.entry import TreeEntry
from cntnr_compose.containers.files.root import ContainerRoot
from cntnr_compose.containers.files.worker import _Worker
from cntnr_compose.host.openat2 import Root


class Session:
    """A worker that serves in a thread, and our end of its channel."""

    def __init__(self, root: ContainerRoot) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel, other = Channel(ours), Channel(theirs)

        def serve() -> None:
            try:
                _Worker(other, root, "web-1").serve()
            except ChannelClosed:
                other.close()

        self.thread = threading.Thread(target=serve)
        self.thread.start()

    def ask(self, request: Message, *descriptors: int) -> Reply:
        self.channel.send(request, descriptors)
        return self.reply()

    def reply(self) -> Reply:
        reply, _ = self.channel.receive()
        assert isinstance(reply, Reply)
        return reply

    def close(self) -> None:
        self.channel.close()
        self.thread.join()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "etc").mkdir(parents=True)
    (folder / "etc/passwd").write_text("root")
    (folder / "link").symlink_to("/etc")
    (folder / "out").symlink_to("../..")
    return folder


@pytest.fixture
def session(root: Path) -> Iterator[Session]:
    with Root(root) as opened:
        session = Session(ContainerRoot(opened, ("/etc/fixed",)))
        yield session
        session.close()


def test_what_a_path_is(session: Session, root: Path) -> None:
    assert stat.S_ISREG(session.ask(Stat(path=b"/etc/passwd")).mode)
    assert stat.S_ISREG(session.ask(Stat(path=b"etc/../etc/passwd")).mode)
    link = session.ask(Stat(path=b"link"))
    assert (stat.S_ISLNK(link.mode), link.target) == (True, b"/etc")
    assert stat.S_ISDIR(session.ask(Stat(path=b"/link/")).mode)
    assert stat.S_ISDIR(session.ask(Stat(path=b"/link/.")).mode)
    assert stat.S_ISREG(session.ask(Stat(path=b"/link/passwd")).mode)
    assert session.ask(Stat(path=b"/none")).mode == 0
    assert session.ask(Stat(path=b"/none/none")).mode == 0
    assert session.ask(Stat(path=b"/out/../../root")).mode == 0
    assert session.ask(Stat(path=b"/etc/passwd/x")).mode == 0


def write(session: Session, folder: bytes, *entries: TreeEntry) -> Reply:
    session.channel.send(Write(folder=folder))
    session.channel.send_entries(
        (entry, os.memfd_create("x") if entry.has_content else None) for entry in entries
    )
    return session.reply()


def file_entry(path: bytes) -> TreeEntry:
    return TreeEntry(
        path=path, mode=stat.S_IFREG | 0o644, uid=os.getuid(), gid=os.getgid(), mtime=7_000_000_000
    )


def test_entries_are_written(session: Session, root: Path) -> None:
    assert write(session, b"/link", file_entry(b"a"), file_entry(b"b/c")) == Reply()
    assert (root / "etc/a").stat().st_mtime == 7
    assert (root / "etc/b/c").exists()
    assert write(session, b"/", TreeEntry(path=b"etc/b")) == Reply()
    assert not (root / "etc/b").exists()


def test_errors_of_writing_end_the_request_and_not_the_worker(session: Session, root: Path) -> None:
    assert "Could not find the file /none in container web-1" in write(session, b"none").error
    assert "is not a directory" in write(session, b"/etc/passwd").error
    (root / "etc/fixed").mkdir()
    assert write(session, b"/etc/fixed").error == "container rootfs is marked read-only"
    entries = [file_entry(b"link"), file_entry(b"x\n\xff/\x1b")] * 500
    (root / "x\n").touch()
    os.mkdir(bytes(root) + b"/x\n\xff")
    os.mkdir(bytes(root) + b"/x\n\xff/\x1b")
    reply = write(session, b"/", *entries)
    assert reply.error == 'cannot overwrite directory "/x��/�" with non-directory "/"'
    assert session.ask(Stat(path=b"/etc")).mode


def test_a_tree_is_read(session: Session) -> None:
    session.channel.send(Read(path=b"/link/", top=b"copy"))
    paths = [entry.path for entry, _ in session.channel.receive_entries()]
    assert paths == [b"copy", b"copy/passwd"]
    assert session.reply() == Reply()
    session.channel.send(Read(path=b"/link", top=b"copy"))
    assert [entry.target for entry, _ in session.channel.receive_entries()] == [b"/etc"]
    assert session.reply() == Reply()
    session.channel.send(Read(path=b"/none"))
    assert list(session.channel.receive_entries()) == []
    assert "Could not find the file /none" in session.reply().error


def test_archives_are_packed_and_extracted(session: Session, root: Path) -> None:
    archive = os.memfd_create("archive")
    assert session.ask(Pack(path=b"/etc", name=b"top"), archive) == Reply()
    os.lseek(archive, 0, os.SEEK_SET)
    with open(archive, "rb", closefd=False) as file:
        content = file.read()
    with tarfile.open(fileobj=io.BytesIO(content)) as packed:
        assert packed.getnames() == ["top", "top/passwd"]
    os.lseek(archive, 0, os.SEEK_SET)
    assert session.ask(Extract(folder=b"/etc"), archive).error == ""
    assert (root / "etc/top/passwd").read_text() == "root"
    junk = os.memfd_create("junk")
    assert "cannot read the tar archive" in session.ask(Extract(folder=b"/"), junk).error
    os.close(archive)
    os.close(junk)


def test_what_is_left_over_of_a_request_is_ignored(session: Session) -> None:
    assert session.ask(Entries()) == Reply()


def test_file_systems_of_the_kernel_are_not_there(root: Path) -> None:
    with Root(root) as opened:
        container = ContainerRoot(opened)
        container.kernel_devices = frozenset({root.stat().st_dev})
        session = Session(container)
        assert session.ask(Stat(path=b"/etc/passwd")).mode == 0
        assert "Could not find" in write(session, b"/etc").error
        session.close()
