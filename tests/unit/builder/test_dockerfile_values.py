"""Modes of files, addresses of git, patterns: texts to values."""

import stat

import pytest

from cntnr_compose.builder.dockerfile.values.file_modes import FileModeInvalid, parse_file_mode
from cntnr_compose.builder.dockerfile.values.git_url import (
    GitSource,
    GitUrlInvalid,
    parse_git_url,
    without_password,
)
from cntnr_compose.builder.dockerfile.values.shell_patterns import ShellPattern


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("0640", 0o777, 0o640), ("7", 0, 0o7), ("4755", 0, 0o4755),
        ("u=rwX,go=rX", 0o600, 0o644), ("u=rwX,go=rX", 0o100, 0o755),
        ("go-w", 0o666, 0o644), ("a+X", 0o666, 0o666), ("+x", 0o644, 0o755), ("a=", 0o777, 0),
        ("g=u,o=g", 0o640, 0o666), ("u+s,g+s,+t", 0o755, 0o7755), ("ug-s+x", 0o6600, 0o710),
    ],
)  # fmt: skip
def test_modes_of_files(text: str, before: int, after: int) -> None:
    assert oct(parse_file_mode(text)(stat.S_IFREG | before)) == oct(after)


def test_x_in_capitals_is_for_folders_and_what_can_be_run() -> None:
    change = parse_file_mode("u+rw,g+r,o-x,o+w")
    assert oct(change(stat.S_IFDIR | 0o124)) == "0o766"
    assert oct(parse_file_mode("go=X")(stat.S_IFDIR | 0o700)) == "0o711"


@pytest.mark.parametrize("text", ["8", "17777", "rwx", "u+y", "u", "u=r,", "+٣"])
def test_what_is_no_mode_is_refused(text: str) -> None:
    with pytest.raises(FileModeInvalid, match="invalid chmod parameter"):
        parse_file_mode(text)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("https://h.test/a/b.git", {"remote": "https://h.test/a/b.git"}),
        ("https://h.test/a/b.git#v1:x/y", {"remote": "https://h.test/a/b.git", "ref": "v1", "subdir": "x/y"}),
        ("git@h.test:a/b#:sub", {"remote": "git@h.test:a/b", "subdir": "sub"}),
        ("ssh://git@h.test:22/a?tag=v1", {"remote": "ssh://git@h.test:22/a", "ref": "refs/tags/v1"}),
        ("git://h.test/a?commit=abcdef1",
         {"remote": "git://h.test/a", "ref": "abcdef1", "checksum": "abcdef1"}),
        ("https://h.test/.git?branch=b&subdir=s&keep-git-dir&submodules=0",
         {"remote": "https://h.test/.git", "ref": "refs/heads/b", "subdir": "s", "keep_git_dir": True,
          "submodules": False}),
        ("https://h.test/.git?tag=v1#refs/tags/v1", {"remote": "https://h.test/.git", "ref": "refs/tags/v1"}),
    ],
)  # fmt: skip
def test_addresses_of_git(text: str, source: dict[str, object]) -> None:
    assert parse_git_url(text) == GitSource(**source)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["https://h.test/a.tar", "a/b.git", "a:b", "ftp://h.test/x.git", "http://[x.git", "ext::sh"]
)  # fmt: skip
def test_what_is_no_git_is_something_else(text: str) -> None:
    assert parse_git_url(text) is None


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?tag=a&branch=b", "branch conflicts with tag"),
        ("?tag=a#refs/heads/b", 'ref conflicts: "refs/heads/b" vs "refs/tags/a"'),
        ("?subdir=a#:b", 'subdir conflicts: "b" vs "a"'),
        ("?ref=", 'query "ref" has no value'),
        ("?ref=a&ref=b", 'query "ref" has multiple values'),
        ("?commit=main", 'invalid checksum "main"'),
        ("?submodules=maybe", 'invalid submodules value: "maybe"'),
    ],
)
def test_addresses_that_contradict_themselves_are_told(query: str, message: str) -> None:
    with pytest.raises(GitUrlInvalid, match=message):
        parse_git_url(f"https://h.test/a.git{query}")


def test_messages_show_no_password() -> None:
    assert without_password("https://me:pw@h.test/a.git") == "https://me:xxxxx@h.test/a.git"
    assert without_password("git@h.test:a/b") == "git@h.test:a/b"


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("a*b", "xaabybz", "x<>z"), ("?", "ab", "<>b"), ("b*", "abc\nd", "a<>\nd"), ("q", "abc", "abc"),
        ("a\\*", "aba*", "ab<>"), ("", "ab", "<>ab"), ("*", "", "<>"),
    ],
)  # fmt: skip
def test_the_leftmost_match_is_replaced_as_long_as_it_can_be(
    pattern: str, value: str, expected: str
) -> None:
    assert ShellPattern(pattern).replace(value, "<>", everywhere=False) == expected
