"""The files that COPY takes, and their digests."""

import os
import socket
from pathlib import Path

import pytest

from cntnr_compose.builder.dockerfile.dockerignore import IgnorePatterns
from cntnr_compose.builder.sources.source_files import BuildSourceMissing, SourceFiles


@pytest.fixture
def context(tmp_path: Path) -> Path:
    for name in ("src/a.txt", "src/b.md", "src/deep/c.txt", "docs/keep/d", "docs/e", ".hidden.txt"):
        path = tmp_path / "context" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "context"


def names(files: SourceFiles, *sources: str, exclude: tuple[str, ...] = ()) -> list[str]:
    selected = files.select(sources, "Dockerfile:1")
    return [each.path or one.name for one in selected for each in files.walk(one, exclude)]


def digest(files: SourceFiles, *sources: str, exclude: tuple[str, ...] = ()) -> str:
    return files.digest(files.select(sources, "Dockerfile:1"), exclude)


def test_a_folder_is_taken_with_all_that_is_in_it_in_order(context: Path) -> None:
    assert names(SourceFiles(context), "src") == ["src", "a.txt", "b.md", "deep", "deep/c.txt"]


def test_patterns_fit_within_a_folder_and_hidden_files_too(context: Path) -> None:
    assert names(SourceFiles(context), "*.txt") == [".hidden.txt"]
    assert names(SourceFiles(context), "s*/?.[mt]*") == ["a.txt", "b.md"]
    assert names(SourceFiles(context), "src/[^a-c]*") == ["deep", "c.txt"]


def test_what_is_ignored_is_not_taken_but_for_exceptions(context: Path) -> None:
    files = SourceFiles(context, ignore=IgnorePatterns(["docs", "!docs/keep", "**/*.md"]))
    assert names(files, "src") == ["src", "a.txt", "deep", "deep/c.txt"]
    assert names(files, "docs") == ["docs", "keep", "keep/d"]


def test_a_folder_that_is_left_out_comes_with_what_is_taken_of_it(context: Path) -> None:
    files = SourceFiles(context, ignore=IgnorePatterns(["*", "!docs/keep", "!src/deep/*"]))
    docs = ["docs", "docs/keep", "docs/keep/d"]
    assert names(files, ".") == [".", *docs, "src", "src/deep", "src/deep/c.txt"]
    before = digest(files, ".")
    (context / "docs").chmod(0o700)
    assert digest(files, ".") != before


def test_folders_lie_in_each_other_without_end(
    context: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(context)
    for _ in range(1500):
        Path("d").mkdir()
        os.chdir("d")
    try:
        assert len(names(SourceFiles(context), ".")) > 1500
    finally:
        for _ in range(1500):  # deeper than whoever sweeps afterwards goes
            os.chdir("..")
            Path("d").rmdir()


def test_exclude_leaves_out_what_a_copy_does_not_want(context: Path) -> None:
    assert names(SourceFiles(context), "src", exclude=("deep", "*.md")) == ["src", "a.txt"]
    assert names(SourceFiles(context), "src/*", exclude=("*.md",)) == ["a.txt", "deep", "c.txt"]


def test_what_is_not_there_is_told_with_its_place(context: Path) -> None:
    with pytest.raises(BuildSourceMissing) as caught:
        SourceFiles(context).select(("src", "nope"), "Dockerfile:7")
    assert str(caught.value) == "Dockerfile:7: cannot copy nope: not found in the build context"
    assert SourceFiles(context).select(("nope*",), "Dockerfile:7") == []
    assert caught.value.hint == ""


def test_what_is_ignored_is_told_to_be(context: Path) -> None:
    with pytest.raises(BuildSourceMissing) as caught:
        SourceFiles(context, ignore=IgnorePatterns(["docs"])).select(("docs",), "Dockerfile:7")
    assert caught.value.hint == "a pattern in .dockerignore leaves it out"


def test_a_link_is_followed_where_it_is_named_but_not_out_of_the_context(context: Path) -> None:
    (context / "in").symlink_to("/src")
    (context / "out").symlink_to("/etc/passwd")
    (context / "up").symlink_to("../../../../etc/passwd")
    assert names(SourceFiles(context), "in") == ["in", "a.txt", "b.md", "deep", "deep/c.txt"]
    for name in ("out", "up"):
        with pytest.raises(BuildSourceMissing):
            SourceFiles(context).select((name,), "Dockerfile:1")


def test_sockets_are_passed_over(context: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(context / "src/s"))
    assert "s" not in names(SourceFiles(context), "src")


def test_a_digest_tells_content_mode_name_and_link(context: Path) -> None:
    files = SourceFiles(context)
    seen = {digest(files, "src")}
    changes = (
        lambda: (context / "src/a.txt").write_text("changed"),
        lambda: (context / "src/a.txt").chmod(0o755),
        lambda: (context / "src/a.txt").rename(context / "src/z.txt"),
        lambda: (context / "src/l").symlink_to("a"),
        lambda: ((context / "src/l").unlink(), (context / "src/l").symlink_to("b")),
        (context / "src/empty").mkdir,
    )
    for number, change in enumerate(changes, 2):
        change()
        seen.add(digest(SourceFiles(context), "src"))
        assert len(seen) == number


def test_a_digest_does_not_tell_times_or_what_is_left_out(context: Path) -> None:
    files = SourceFiles(context, ignore=IgnorePatterns(["**/*.md"]))
    before = digest(files, "src", exclude=("deep",))
    os.utime(context / "src/a.txt", (1, 1))
    (context / "src/b.md").write_text("changed")
    (context / "src/deep/c.txt").write_text("changed")
    assert digest(files, "src", exclude=("deep",)) == before


def test_owners_count_only_where_they_are_kept(context: Path) -> None:
    assert digest(SourceFiles(context), "src") != digest(
        SourceFiles(context, keep_owners=True), "src"
    )
