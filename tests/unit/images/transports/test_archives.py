"""Image archives are unpacked as files of a layout, whatever else they claim to be."""

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from cntnr_compose.images.errors import CopyFailed, NoSpace
from cntnr_compose.images.transports import archives, skopeo
from cntnr_compose.images.transports.archives import ArchiveDamaged, unpack_archive

DIGEST = "ab" * 32


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    path = tmp_path / "draft"
    path.mkdir()
    return path


def entry(name: str, content: bytes = b"", **more: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in more.items():
        setattr(info, key, value)
    return info, content


def archive(*entries: tuple[tarfile.TarInfo, bytes], packed: bool = False) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as writer:
        for info, content in entries:
            writer.addfile(info, io.BytesIO(content))
    return gzip.compress(out.getvalue()) if packed else out.getvalue()


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() or path.is_symlink()
    }


@pytest.mark.parametrize("packed", [False, True])
def test_a_layout_is_unpacked_and_nothing_else(tmp_path: Path, draft: Path, packed: bool) -> None:
    place = tmp_path / "a.tar"
    link = {"type": tarfile.SYMTYPE, "linkname": "/etc"}
    place.write_bytes(
        archive(
            entry("./index.json", b"{}", uid=0, mode=0o4777),
            entry("oci-layout", b"1", uid=12345678, mode=0),
            entry(f"blobs/sha256/{DIGEST}", b"blob"),
            entry("../outside", b"x"),
            entry("/absolute", b"x"),
            entry("blobs/sha256/../../../outside", b"x"),
            entry("blobs/md5", **link),
            entry(f"blobs/md5/{DIGEST}", b"in a folder of its own"),
            entry(f"blobs/sha512/{DIGEST}", type=tarfile.LNKTYPE, linkname="../../../a.tar"),
            entry(f"blobs/sha1/{DIGEST}", type=tarfile.FIFOTYPE),
            entry(f"blobs/sha2/{DIGEST}", type=tarfile.CHRTYPE, devmajor=1, devminor=5),
            packed=packed,
        )
    )
    assert unpack_archive(f"oci-archive:{place}:tag", draft) == f"oci:{draft}/archive:tag"
    assert files(draft / "archive") == {
        "index.json": b"{}",
        "oci-layout": b"1",
        f"blobs/sha256/{DIGEST}": b"blob",
        f"blobs/md5/{DIGEST}": b"in a folder of its own",
    }
    assert not (draft / "archive/blobs/md5").is_symlink()
    modes = {path.stat().st_mode & 0o7777 for path in (draft / "archive").glob("*o*-*")}
    assert modes == {0o666 & ~umask()}
    assert {path.name for path in tmp_path.iterdir()} == {"a.tar", "draft"}


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_packed_docker_archive_is_laid_out_plain(tmp_path: Path, draft: Path) -> None:
    plain = archive(entry("manifest.json", b"[]"))
    place = tmp_path / "a.tar.gz"
    place.write_bytes(gzip.compress(plain))
    name = f"docker-archive:{place}:box:1"
    assert unpack_archive(name, draft) == f"docker-archive:{draft}/archive:box:1"
    assert (draft / "archive").read_bytes() == plain


def test_what_is_no_such_archive_is_skopeo_s(tmp_path: Path, draft: Path) -> None:
    (tmp_path / "plain.tar").write_bytes(archive(entry("manifest.json", b"[]")))
    (tmp_path / "text").write_text("no archive")
    os.mkfifo(tmp_path / "pipe")
    for name in (
        "docker.io/library/busybox:latest",
        f"oci:{tmp_path}:x",
        f"docker-archive:{tmp_path}/plain.tar",
        *(f"oci-archive:{tmp_path}/{name}" for name in ("text", "pipe", "nothing", "")),
        "oci-archive:/dev/zero",
    ):
        assert unpack_archive(name, draft) == name
    assert list(draft.iterdir()) == []


def test_damaged_archives_are_told(tmp_path: Path, draft: Path) -> None:
    whole = archive(entry(f"blobs/sha256/{DIGEST}", os.urandom(5000)), packed=True)
    place = tmp_path / "a.tar"
    for content in (whole[:3000], b"\x1f\x8bno gzip", gzip.compress(b"no archive" * 100)):
        place.write_bytes(content)
        with pytest.raises(ArchiveDamaged, match=r"cannot get image .*: the archive is damaged"):
            unpack_archive(f"oci-archive:{place}", draft)
        archives.shutil.rmtree(draft / "archive")


def long_name() -> bytes:
    head = tarfile.TarInfo("././@LongLink")
    head.type, head.size = tarfile.GNUTYPE_LONGNAME, 64 << 20
    return head.tobuf(tarfile.GNU_FORMAT) + b"x" * head.size


def sparse() -> bytes:
    head = tarfile.TarInfo(f"blobs/sha256/{DIGEST}")
    head.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(head.tobuf(tarfile.GNU_FORMAT))
    header[483:495] = b"%011o\0" % (1 << 32)  # how large it is with its holes
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])
    return bytes(header) + bytes(1024)


def test_an_archive_that_would_fill_the_memory_is_refused(tmp_path: Path, draft: Path) -> None:
    place = tmp_path / "a.tar"
    place.write_bytes(gzip.compress(long_name(), 1))
    with pytest.raises(ArchiveDamaged, match="a header is too long"):
        unpack_archive(f"oci-archive:{place}", draft)


def test_a_file_with_holes_is_none_of_a_layout(tmp_path: Path, draft: Path) -> None:
    place = tmp_path / "a.tar"
    place.write_bytes(sparse())
    unpack_archive(f"oci-archive:{place}", draft)
    assert files(draft / "archive") == {}


@pytest.mark.parametrize("kind", ["oci-archive", "docker-archive"])
@pytest.mark.parametrize("name", [f"blobs/sha256/{DIGEST}", "skipped"])
def test_an_archive_that_would_fill_the_disk_is_refused(
    tmp_path: Path, draft: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    usage = archives.shutil.disk_usage(draft)._replace(free=1 << 20)
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: usage)
    place = tmp_path / "a.tar.gz"
    place.write_bytes(archive(entry(name, bytes(8 << 20)), packed=True))
    with pytest.raises(NoSpace):
        unpack_archive(f"{kind}:{place}", draft)
    assert sum(map(len, files(draft).values())) <= 3 << 20


def test_unpacking_ends_where_the_command_does(
    tmp_path: Path, draft: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(skopeo, "is_stopped", lambda: True)
    place = tmp_path / "a.tar"
    place.write_bytes(archive(entry("index.json", b"{}")))
    with pytest.raises(CopyFailed, match=skopeo.INTERRUPTED):
        unpack_archive(f"oci-archive:{place}", draft)
