"""The patterns of .dockerignore, by docker's rules."""

import pytest

from cntnr_compose.builder.dockerfile.dockerignore import IgnorePatterns, parse_dockerignore


def test_comments_and_empty_lines_are_no_patterns() -> None:
    assert parse_dockerignore("# a\n\n  *.md \r\n#b\n!c\n #d\n") == ("*.md", "!c", "#d")


@pytest.mark.parametrize(
    ("patterns", "ignored", "taken"),
    [
        (["*.md"], ["a.md", ".md"], ["sub/a.md", "a.mdx"]),
        (["**/*.md"], ["a.md", "sub/a.md", "a/b/c.md"], ["a.txt"]),
        (["/build", "out/"], ["build", "build/x", "out/y/z"], ["sub/build", "sub/out"]),
        (["docs"], ["docs", "docs/a", "docs/b/c"], ["docsx", "x/docs"]),
        (["a/*/c"], ["a/b/c", "a/b/c/d"], ["a/c", "a/b/d", "a/b/b/c"]),
        (["a/**"], ["a/b", "a/b/c"], ["a", "ab"]),
        (["?.txt", "[ab]-[^c]"], ["x.txt", "a-d"], ["xy.txt", "a-c", "c-d"]),
        (["a.b+(c)", "[z-a]"], ["a.b+(c)", "[z-a]"], ["axb+(c)", "z"]),
        (["\\*a", "[x"], ["*a", "[x"], ["ba", "x"]),
        (["./x", "y/../z"], ["x", "z"], ["y"]),
        (["."], [], ["anything"]),
    ],
)
def test_patterns_start_at_the_root(
    patterns: list[str], ignored: list[str], taken: list[str]
) -> None:
    ignore = IgnorePatterns(patterns)
    assert [path for path in ignored if not ignore.ignores(path)] == []
    assert [path for path in taken if ignore.ignores(path)] == []


def test_the_last_pattern_that_fits_decides() -> None:
    ignore = IgnorePatterns(["*", "!src", "src/*.tmp", "!src/keep.tmp"])
    assert ignore.ignores("README")
    assert not ignore.ignores("src")
    assert not ignore.ignores("src/a/b")
    assert ignore.ignores("src/a.tmp")
    assert not ignore.ignores("src/keep.tmp")


def test_a_folder_is_entered_only_where_an_exception_could_be_in_it() -> None:
    ignore = IgnorePatterns(["node_modules", "docs", "!docs/*/keep"])
    assert ignore.ignores_all_below("node_modules")
    assert not ignore.ignores_all_below("docs")
    assert not ignore.ignores_all_below("docs/a")
    assert not IgnorePatterns(["a", "!**/b"]).ignores_all_below("a")


def test_no_patterns_is_falsy() -> None:
    assert not IgnorePatterns([])
    assert IgnorePatterns(["a"])
