"""Headers of tar archives that `tarfile` reads have a bounded length, whatever they claim."""

import gzip
import io
import tarfile

import pytest

from cntnr_compose.images.layers.archive.bounded_header import MAX_HEADER, BoundedHeader


def header(kind: bytes, size: int) -> bytes:
    info = tarfile.TarInfo("a")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("mode", ["r:*", "r|*"])
@pytest.mark.parametrize(
    "kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE]
)
def test_a_header_that_would_fill_the_memory_is_refused(
    kind: bytes, mode: str, packed: bool
) -> None:
    data = header(kind, MAX_HEADER + 1) + b"x" * (MAX_HEADER + 512)
    stream = io.BytesIO(gzip.compress(data, 1) if packed else data)
    with (
        pytest.raises(tarfile.ReadError, match="a header is too long"),
        tarfile.open(fileobj=stream, mode=mode, tarinfo=BoundedHeader) as archive,  # type: ignore[call-overload]
    ):
        archive.next()


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_attributes_and_large_files_are_read(form: int) -> None:
    info = tarfile.TarInfo("a" * 9000)
    info.size = 2 * MAX_HEADER
    info.pax_headers = {"SCHILY.xattr.user.note": "b" * 9000}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        archive.addfile(info, io.BytesIO(bytes(info.size)))
    stream.seek(0)
    with tarfile.open(fileobj=stream, tarinfo=BoundedHeader) as archive:
        [member] = archive
    assert (member.name, member.size) == (info.name, info.size)
    if form == tarfile.PAX_FORMAT:
        assert member.pax_headers["SCHILY.xattr.user.note"] == "b" * 9000
