"""Patterns of .dockerignore and COPY: what they match, and in what time."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cntnr_compose.builder.dockerfile.dockerignore import IgnorePatterns
from cntnr_compose.builder.dockerfile.globs import MAX_STATES, GlobPattern

WORDS = [
    "a",
    "b",
    "/",
    "*",
    "**",
    "**/",
    "?",
    ".",
    "\n",
    "\\*",
    "\\a",
    "[ab]",
    "[^a]",
    "[a-b.]",
    "[",
]


def regex(pattern: str) -> str:
    """Translate a pattern into a regular expression, which may take very long to match."""
    translations = {
        "**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]",
        "[ab]": "[ab]", "[^a]": "[^a]", "[a-b.]": "[a-b.]",
    }  # fmt: skip
    parts = re.findall(r"\*\*/|\*\*|\\.|\[\^?[^\[\]]+\]|.", pattern, re.DOTALL)
    return "".join(translations.get(part) or re.escape(part[-1]) for part in parts)


@settings(max_examples=1500)
@given(
    st.lists(st.sampled_from(WORDS), max_size=8).map("".join).filter(lambda text: "[[" not in text),
    st.text("ab/.*\n[", max_size=8),
)
def test_a_pattern_fits_what_its_regular_expression_fits(pattern: str, path: str) -> None:
    if re.search(r"\[[^ab^\]]|\[$", pattern) or pattern.count("[") != pattern.count("]"):
        pattern = pattern.replace("[", "")  # a bracket that nobody closes is tried below
    expected = re.compile(regex(pattern))
    glob = GlobPattern(pattern)
    assert glob.matches(path) == bool(expected.fullmatch(path))
    parts = path.split("/")
    above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    assert glob.matches_path_or_parent(path) == any(expected.fullmatch(each) for each in above)


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("[", ["["], ["", "a"]),
        ("[z-a]*", ["[z-a]*"], ["z", "[z-a]x"]),
        ("a[", ["a["], ["a"]),
        ("[]a]", ["]", "a"], ["[", "b"]),
        ("[a\\-c]", ["a", "-", "c"], ["b"]),
        ("\\", ["\\"], [""]),
        ("a**/b", ["ab", "ax/b", "a/x/b"], ["axb"]),
        ("", [""], ["a"]),
    ],
)
def test_odd_patterns(pattern: str, fits: list[str], fits_not: list[str]) -> None:
    glob = GlobPattern(pattern)
    assert [path for path in fits if not glob.matches(path)] == []
    assert [path for path in fits_not if glob.matches(path)] == []


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("**/" + "*a" * 30 + "b", "x/" + "a" * 250),
        ("*a" * 100 + "b", "a" * 255),
        ("a" + "**/" * 40 + "x", "a/" * 1000),
        ("**a" * 40 + "b", "a" * 4000),
        ("**/*a*/" * 20 + "b", "aaa/" * 1000),
        ("*?" * 100 + "/b", "a" * 255),
        ("*[ab]" + "?" * 40 + "c", "ab" * 2000),
    ],
)
def test_no_pattern_takes_long(pattern: str, path: str) -> None:
    began = time.process_time()
    assert not GlobPattern(pattern).matches(path)
    assert not IgnorePatterns([pattern]).ignores(path)
    IgnorePatterns(["x", f"!{pattern}"]).ignores_all_below(path)
    assert time.process_time() - began < 2


def test_no_pattern_takes_much_memory() -> None:
    glob = GlobPattern("*a" + "?" * 20 + "c")
    for number in range(3000):
        glob.matches(f"{number:025b}".replace("0", "a").replace("1", "b"))
    assert len(glob._states) <= MAX_STATES
