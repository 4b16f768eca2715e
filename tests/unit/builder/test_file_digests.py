"""Digests of files are cached between builds, as long as the files do not change."""

import os
import time
from pathlib import Path

import pytest

from cntnr_compose.builder.sources.file_digests import FileDigestCache
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
