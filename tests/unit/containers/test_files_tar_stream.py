import io
import os
import tarfile
from pathlib import Path
from typing import IO

import pytest

from cntnr_compose.containers.files.entry import TreeEntry
from cntnr_compose.containers.files.errors import CannotCopy
from cntnr_compose.containers.files.reader import TreeReader
from cntnr_compose.containers.files.tar_stream import extract_archive, write_archive
from cntnr_compose.containers.files.writer import TreeWriter
from cntnr_compose.host.openat2 import Root


def make(*members: tarfile.TarInfo, mode: str = "w") -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        for member in members:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    stream.seek(0)
    return stream


def member(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


def ignore(_entry: TreeEntry, content: IO[bytes] | None) -> None:
    if content is not None:
        content.read()


def pack(folder: Path, name: str, top: str) -> tarfile.TarFile:
    stream = io.BytesIO()
    descriptor = os.open(folder, os.O_PATH)
    write_archive(stream, TreeReader().read(descriptor, name.encode()), top)
    os.close(descriptor)
    stream.seek(0)
    return tarfile.open(fileobj=stream)


def test_an_archive_holds_a_tree(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "sub/file").write_text("text")
    os.link(source / "sub/file", source / "sub/twin")
    (source / "link").symlink_to("/somewhere")
    archive = pack(tmp_path, "source", "top")
    assert archive.getnames() == ["top", "top/link", "top/sub", "top/sub/file", "top/sub/twin"]
    file = archive.extractfile("top/sub/file")
    assert file is not None
    assert file.read() == b"text"
    assert archive.getmember("top/sub/twin").linkname == "top/sub/file"
    assert archive.getmember("top/link").linkname == "/somewhere"


def test_contents_have_names_below_a_dot(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert pack(tmp_path, ".", ".").getnames() == [".", "./file"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_an_archive_is_extracted(tmp_path: Path, mode: str) -> None:
    stream = make(
        member("./"),
        member("./a/b", size=3),
        member("a/twin", tarfile.LNKTYPE, "a/b"),
        member("/abs", tarfile.SYMTYPE, "a/b"),
        member("dev", tarfile.CHRTYPE),
        mode=mode,
    )
    with Root(tmp_path) as root:
        writer = TreeWriter(root, sets_owner=False)
        extract_archive(stream, writer.write)
        writer.close()
    assert (tmp_path / "a/b").read_bytes() == bytes(3)
    assert (tmp_path / "a/twin").samefile(tmp_path / "a/b")
    assert os.readlink(tmp_path / "abs") == "a/b"
    assert not (tmp_path / "dev").exists()


@pytest.mark.parametrize("name", ["../x", "a/../../x", ".."])
def test_names_that_lead_outside_are_refused(name: str) -> None:
    with pytest.raises(CannotCopy, match="outside"):
        extract_archive(make(member(name)), ignore)
    with pytest.raises(CannotCopy, match="outside"):
        extract_archive(make(member("x", tarfile.LNKTYPE, name)), ignore)


@pytest.mark.parametrize("data", [b"", b"junk\n", bytes(100), b"x" * 2000])
def test_what_is_no_archive_is_an_error(data: bytes) -> None:
    with pytest.raises(CannotCopy, match="cannot read the tar archive"):
        extract_archive(io.BytesIO(data), ignore)


def test_an_archive_that_breaks_off_is_an_error() -> None:
    data = make(member("file", size=5000)).getvalue()[:1500]
    with pytest.raises(CannotCopy, match="cannot read the tar archive"):
        extract_archive(io.BytesIO(data), ignore)


def test_headers_that_claim_to_be_huge_are_refused() -> None:
    header = member("x", tarfile.XHDTYPE, size=1 << 32).tobuf()
    with pytest.raises(CannotCopy, match="too long"):
        extract_archive(io.BytesIO(header + bytes(1024)), ignore)


def test_a_file_that_becomes_shorter_is_filled_up(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("text")

    def entries(descriptor: int):  # type: ignore[no-untyped-def]
        for entry, content in TreeReader().read(descriptor, b"file"):
            path.write_text("t")
            yield entry, content

    stream, descriptor = io.BytesIO(), os.open(tmp_path, os.O_PATH)
    write_archive(stream, entries(descriptor), "file")
    os.close(descriptor)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as archive:
        content = archive.extractfile("file")
        assert content is not None
        assert content.read() == b"t\0\0\0"
