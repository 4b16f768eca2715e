"""Notes of owners that a user with one id cannot give to files."""

import errno
import os
from pathlib import Path

import pytest

from cntnr_compose.host.namespaces import owners, subids


@pytest.fixture
def one_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the kernel know no other id than root's."""

    def refuse(_target: object, uid: int, gid: int, **_: object) -> None:
        if (uid, gid) != (0, 0):
            raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "chown", refuse)
    monkeypatch.setattr(subids, "count_mapped_ids", lambda: 1)


@pytest.mark.parametrize(
    ("owner", "note"),
    [
        ((0, 0), b""),
        ((33, 44), b"\x08\x21\x10\x2c"),  # as protoc encodes them
        ((1000, 0), b"\x08\xe8\x07"),
        ((0, 65534), b"\x10\xfe\xff\x03"),
        ((4294967294, 1), b"\x08\xfe\xff\xff\xff\x0f\x10\x01"),
    ],
)
def test_owners_are_written_as_the_protobuf_message(owner: owners.Owner, note: bytes) -> None:
    assert owners.write_note(owner) == note
    assert owners.read_note(note) == owner


@pytest.mark.parametrize(
    "note",
    [b"\x08", b"\x08\xff", b"\x08\xff\xff\xff\xff\xff\xff\x01", b"\x1a\x01x", b"text", b"\x08\x01" * 99,
     b"\x08\xff\xff\xff\xff\x0f\x10\xff\xff\xff\xff\x0f"],
)  # fmt: skip
def test_what_is_no_owner_is_root_s(note: bytes) -> None:
    assert owners.read_note(note) == (0, 0)


@pytest.mark.usefixtures("one_id")
def test_an_owner_that_cannot_be_had_is_noted_and_forgotten(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.touch()
    link.symlink_to("file")
    descriptor = os.open(file, os.O_RDONLY)
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        owners.change_owner(descriptor, 33, 44)
        assert owners.read_owner(descriptor, 0, 0) == (33, 44)
        owners.change_owner_of_name("file", 5, 6, folder=folder)
        owners.change_owner_of_name(link, 7, 8)  # takes no note, and its target is left alone
    finally:
        os.close(descriptor)
        os.close(folder)
    assert owners.read_owner(str(file), 0, 0) == (5, 6)
    assert owners.read_owner(str(link), 0, 0) == (0, 0)
    assert owners.read_owner(str(file), 12, 0) == (12, 0)  # it was given away since
    owners.forget_owner(file)
    assert owners.read_owner(str(file), 0, 0) == (0, 0)


def test_among_several_ids_a_wrong_one_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, one_id: None
) -> None:
    monkeypatch.setattr(subids, "count_mapped_ids", lambda: 1000)
    with pytest.raises(OSError, match="Invalid argument"):
        owners.change_owner(str(tmp_path), 5000, 0)
