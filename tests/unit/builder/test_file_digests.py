"""Digests of files are cached between builds, as long as the files do not change."""

import os
import time
from pathlib import Path

import pytest

from cntnr_compose.builder.sources.file_digests import SECOND, FileDigestCache
from tests.unit.builder.test_source_files import SourceFiles, context, digest

__all__ = ["context"]


def test_content_that_was_read_once_is_not_read_again(
    context: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = time.time_ns() + 60 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: later)
    first = SourceFiles(context, digests=FileDigestCache(context))
    before = digest(first, "src")
    first.save_digests()
    monkeypatch.setattr(SourceFiles, "open_file", lambda *_: pytest.fail("read again"))
    files = SourceFiles(context, digests=FileDigestCache(context))
    assert digest(files, "src") == before


def test_what_changed_just_now_is_read_again(context: Path) -> None:
    files = SourceFiles(context, digests=FileDigestCache(context))
    before = digest(files, "src")
    files.save_digests()
    path = context / "src/a.txt"
    stamp = path.stat()
    path.write_text("src/b.txt")  # as long as before, and within the clock's grain
    os.utime(path, ns=(stamp.st_mtime_ns, stamp.st_mtime_ns))
    files = SourceFiles(context, digests=FileDigestCache(context))
    assert digest(files, "src") != before


@pytest.mark.parametrize(
    ("changed_at", "pause", "is_kept"),
    [
        (5 * SECOND + 1, 50_000_000, False),  # the kernel's clock may not have gone on
        (5 * SECOND + 1, 200_000_000, True),
        (5 * SECOND, 200_000_000, False),  # a file system of whole seconds, maybe of two
        (5 * SECOND, 3 * SECOND, True),
    ],
)
def test_a_digest_is_kept_where_a_later_change_has_another_time(
    context: Path, changed_at: int, pause: int, *, is_kept: bool
) -> None:
    stamp = (1, 2, changed_at, changed_at)
    cache = FileDigestCache(context)
    cache.add("file", stamp, "digest", changed_at + pause)
    assert cache.get("file", stamp) == "digest"
    cache.save()
    assert (FileDigestCache(context).get("file", stamp) == "digest") == is_kept
