"""Archives of build contexts: what they may have in them, and where it goes."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from cntnr_compose.builder.sources.context_archive import (
    ContextArchiveBad,
    extract_context,
    is_archive_head,
)


def archive(*members: tuple[str, bytes, str], mode: str = "w") -> io.BytesIO:
    """Make an archive of entries: name, type, target of the link or content."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as tar:  # type: ignore[call-overload]
        for name, kind, text in members:
            member = tarfile.TarInfo(name)
            member.type, member.mode = kind, 0o4640
            if kind == tarfile.REGTYPE:
                member.size = len(text)
                tar.addfile(member, io.BytesIO(text.encode()))
            else:
                member.linkname = text
                tar.addfile(member)
    out.seek(0)
    return out


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_files_folders_and_links_are_extracted(tmp_path: Path, mode: str) -> None:
    made = archive(
        ("./a", tarfile.REGTYPE, "text"), ("b/c", tarfile.REGTYPE, "inner"), ("l", tarfile.SYMTYPE, "/etc"),
        ("h", tarfile.LNKTYPE, "a"), ("p", tarfile.FIFOTYPE, ""), ("/d", tarfile.REGTYPE, "top"), mode=mode,
    )  # fmt: skip
    assert is_archive_head(made.read(512))
    made.seek(0)
    extract_context(made, tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "d", "h", "l"]
    assert (tmp_path / "h").read_text() == "text"
    assert (tmp_path / "a").stat().st_mode & 0o7777 == 0o4640
    assert (tmp_path / "l").readlink() == Path("/etc")


@pytest.mark.parametrize(
    "members",
    [
        [("../x", tarfile.REGTYPE, "x")],
        [("a/../../x", tarfile.REGTYPE, "x")],
        [("l", tarfile.SYMTYPE, "../.."), ("l/x", tarfile.REGTYPE, "x")],
        [("h", tarfile.LNKTYPE, "../outside")],
        [("l", tarfile.SYMTYPE, ".."), ("h", tarfile.LNKTYPE, "l/outside")],
        [("a/..", tarfile.SYMTYPE, "/etc")],
    ],
)
def test_nothing_leads_out_of_the_folder(
    tmp_path: Path, members: list[tuple[str, bytes, str]]
) -> None:
    (tmp_path / "outside").write_text("secret")
    folder = tmp_path / "context"
    folder.mkdir()
    with pytest.raises(ContextArchiveBad, match="leads out of it"):
        extract_context(archive(*members), folder)
    assert sorted(os.listdir(tmp_path)) == ["context", "outside"]


def test_a_file_over_a_link_does_not_follow_it(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("secret")
    folder = tmp_path / "context"
    folder.mkdir()
    members = [("l", tarfile.SYMTYPE, "../outside"), ("l", tarfile.REGTYPE, "x")]
    extract_context(archive(*members), folder)
    assert (tmp_path / "outside").read_text() == "secret"
    assert (folder / "l").read_text() == "x"


def test_damage_is_told(tmp_path: Path) -> None:
    whole = archive(("a", tarfile.REGTYPE, "text" * 1000), mode="w:gz").getvalue()
    with pytest.raises(ContextArchiveBad):
        extract_context(io.BytesIO(whole[: len(whole) // 2]), tmp_path)
    with pytest.raises(ContextArchiveBad, match="zstd"):
        extract_context(io.BytesIO(b"\x28\xb5\x2f\xfd" + bytes(100)), tmp_path)
    assert not is_archive_head(b"FROM busybox\n")
    assert not is_archive_head(b"")
