"""Headers of tar archives: old and new, sparse files, and what no archiver writes."""

import os
import tarfile
from pathlib import Path

import pytest

from cntnr_compose.images.layers.archive.decompress import StreamDamaged
from cntnr_compose.images.layers.archive.stream import LayerStream
from cntnr_compose.images.layers.archive.tar_reader import FOLDER, REGULAR, Entry, read_entries
from tests.unit.images.layer_archives import archive, entry, unpack

PARTS = b"first" + b"second!"


def entries(content: bytes, tmp_path: Path) -> list[Entry]:
    """Read all entries, and pass over their content."""
    (tmp_path / "blob").write_bytes(content)
    listed = []
    with LayerStream(tmp_path / "blob") as stream:
        for each in read_entries(stream):
            listed.append(each)
            stream.skip(each.size)
    return listed


def changed(content: bytes, position: int, new: bytes) -> bytes:
    """Change a header and its sum."""
    header = bytearray(content[:512])
    header[position : position + len(new)] = new
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + content[512:]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_all_forms_of_headers(tmp_path: Path, form: int) -> None:
    name = "d" * 90 + "/" + "e" * 90
    read = entries(archive(entry(name, b"x" * 600), entry("b", b"y"), form=form), tmp_path)
    assert [(each.name, each.size, each.uid) for each in read] == [
        (name, 600, os.getuid()), ("b", 1, os.getuid()),
    ]  # fmt: skip


def test_numbers_beyond_octal_digits(tmp_path: Path) -> None:
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        (read,) = entries(archive(entry("f", uid=1 << 30, mtime=1 << 33), form=form), tmp_path)
        assert (read.uid, read.mtime_ns) == (1 << 30, (1 << 33) * 10**9)


def test_times(tmp_path: Path) -> None:
    for written, expected in (
        ("12.5", 12_500_000_000),
        ("0.0000000019", 1),
        ("-3.5", 0),
        ("9" * 20, 0),
    ):
        info = entry("f", pax_headers={"mtime": written})
        assert entries(archive(info), tmp_path)[0].mtime_ns == expected
    (read,) = entries(archive(entry("f", mtime=-5), form=tarfile.GNU_FORMAT), tmp_path)
    assert read.mtime_ns == 0


def test_the_oldest_archives_end_folders_with_a_slash(tmp_path: Path) -> None:
    content = archive(entry("f"), form=tarfile.USTAR_FORMAT)
    for name, kind in ((b"f/\0", FOLDER), (b"f\0", REGULAR)):
        old = changed(changed(content, 156, b"\0"), 0, name)
        assert entries(old, tmp_path)[0].type == kind


def test_headers_of_the_whole_archive_mean_nothing(tmp_path: Path) -> None:
    content = archive(entry("f", pax_headers={"path": "other"}))
    assert entries(changed(content, 156, b"g"), tmp_path)[0].name == "f"


def test_an_archive_may_end_without_its_end(tmp_path: Path) -> None:
    assert entries(b"", tmp_path) == []
    assert len(entries(archive(entry("f", b"x"))[:1024], tmp_path)) == 1


@pytest.mark.parametrize(
    ("position", "new"),
    [
        (124, b"-0000000001\0"), (124, b"\xff" * 12), (124, b"zzz"), (108, b"-1\0"), (156, b"Q"), (0, b"\0"),
    ],
)  # fmt: skip
def test_headers_that_make_no_sense(tmp_path: Path, position: int, new: bytes) -> None:
    content = archive(entry("f", b"x"), form=tarfile.USTAR_FORMAT)
    if position == 0:
        assert entries(changed(content, 0, new), tmp_path)[0].name == ""
        return
    with pytest.raises(StreamDamaged):
        entries(changed(content, position, new), tmp_path)


def test_what_is_no_archive(tmp_path: Path) -> None:
    for content in (os.urandom(2048), b"x" * 512, b"x"):
        with pytest.raises(StreamDamaged):
            entries(content, tmp_path)


@pytest.mark.parametrize(
    "records",
    [b"5 a=b\n", b"99 a=b\n", b"a=b\n", b"0 a=b\n", b"6 a=bc", b"-6 a=b\n", b"6 abc\n", b"\0" * 20],
)
def test_pax_records_that_make_no_sense(tmp_path: Path, records: bytes) -> None:
    content = changed(archive(entry("p", records), form=tarfile.USTAR_FORMAT), 156, b"x")
    with pytest.raises(StreamDamaged):
        entries(content, tmp_path)


@pytest.mark.parametrize(
    "record",
    [
        {"size": "-1"},
        {"size": "9" * 30},
        {"uid": "x"},
        {"mtime": "x"},
        {"path": "a\0b"},
        {"size": "1" * 5000},
    ],
)
def test_pax_values_that_make_no_sense(tmp_path: Path, record: dict[str, str]) -> None:
    with pytest.raises(StreamDamaged):
        entries(archive(entry("f", pax_headers=record)), tmp_path)


@pytest.mark.parametrize("kind", [b"x", b"L", b"K"])
def test_headers_are_not_longer_than_a_mebibyte(tmp_path: Path, kind: bytes) -> None:
    content = changed(
        archive(entry("p", bytes((1 << 20) + 1)), form=tarfile.USTAR_FORMAT), 156, kind
    )
    with pytest.raises(StreamDamaged, match="too long"):
        entries(content, tmp_path)


def check_holes(content: bytes, target: Path) -> None:
    file = unpack(content, target) / "f"
    assert file.read_bytes() == b"first" + bytes(4091) + b"second!" + bytes(5897)
    assert (target / "g").read_bytes() == b"next"


def gnu_sparse(*numbers: int, size: int = 10_000) -> bytes:
    """Make an archive with a sparse file in GNU's old form."""
    content = archive(entry("f", PARTS), entry("g", b"next"), form=tarfile.GNU_FORMAT)
    table = b"".join(b"%011o\0" % number for number in numbers)
    content = changed(content, 483, b"%011o\0" % size)
    return changed(changed(content, 386, table[:96]), 156, b"S")


def test_sparse_files_in_the_old_form(tmp_path: Path) -> None:
    check_holes(gnu_sparse(0, 5, 4096, 7), tmp_path / "l")


def test_sparse_files_in_pax_forms(tmp_path: Path) -> None:
    start = {"GNU.sparse.name": "f", "GNU.sparse.size": "10000"}
    forms = [
        ({**start, "GNU.sparse.map": "0,5,4096,7"}, PARTS),
        (
            {
                "GNU.sparse.name": "f", "GNU.sparse.major": "1", "GNU.sparse.minor": "0",
                "GNU.sparse.realsize": "10000",
            },
            b"2\n0\n5\n4096\n7\n".ljust(512, b"\0") + PARTS,
        ),
    ]  # fmt: skip
    for number, (records, stored) in enumerate(forms):
        content = archive(
            entry("GNUSparseFile/f", stored, pax_headers=records), entry("g", b"next")
        )
        check_holes(content, tmp_path / str(number))


@pytest.mark.parametrize(
    "numbers",
    [(4096, 7, 0, 5), (0, 5, 4096, 70), (0, 5), (0, 5, 9999, 7), (0, 5, 4, 7), (0, 12, 12)],
)
def test_maps_that_make_no_sense(tmp_path: Path, numbers: tuple[int, ...]) -> None:
    with pytest.raises(StreamDamaged, match="sparse"):
        unpack(gnu_sparse(*numbers), tmp_path / "l")


@pytest.mark.parametrize(
    "table", [b"9\n0\n5\n", b"x\n", b"1\n-1\n12\n", b"99999999\n", b"1\n" + b"1" * 400 + b"\n"]
)
def test_stored_maps_that_make_no_sense(tmp_path: Path, table: bytes) -> None:
    records = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "10000"}
    content = archive(entry("f", table.ljust(512, b"\0") + PARTS, pax_headers=records))
    with pytest.raises(StreamDamaged):
        unpack(content, tmp_path / "l")
