"""Commands to words."""

import pytest

from cntnr_compose.compose.decode.shell_words import InvalidCommandLine, split_command


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("  echo   hi\t", ["echo", "hi"]),
        ("echo 'a b' \"c d\"", ["echo", "a b", "c d"]),
        ("a\\ b", ["a b"]),
        ('"a\\"b"', ['a"b']),
        ("'a\\b'", ["a\\b"]),
        ('"" x', ["", "x"]),
        ('"a"b', ["ab"]),
        ("a ; b", ["a"]),
        ("a && b", ["a"]),
        ("a 2>&1", ["a"]),
        ("x2>y", ["x2"]),
        ("a #b", ["a", "#b"]),
        ("a $(b c) d", ["a", "$(b c)", "d"]),
        ("`a b`", ["`a b`"]),
        ('"(a)"', ["(a)"]),
    ],
)
def test_a_command_is_split(text: str, words: list[str]) -> None:
    assert split_command(text) == words


@pytest.mark.parametrize("text", ["'a", 'a "b', "a\\", "`x", "$(x", "(a)", "a)", '`a "b` c"'])
def test_unclosed_quotes_are_refused(text: str) -> None:
    with pytest.raises(InvalidCommandLine):
        split_command(text)
