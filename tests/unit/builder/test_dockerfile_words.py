"""Words of a Dockerfile."""

import pytest

from cntnr_compose.builder.dockerfile.words import WordInvalid, expand_word, split_words

VALUES = {"a": "1", "empty": "", "file": "src/lib/x.tar.gz"}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("$a-$b-${a}", "1--1"),
        ("\\$a \\\\", "$a \\"),
        ("'$a'\"$a\"", "$a1"),
        ('"a\\"b\\$c\\d"', 'a"b$c\\d'),
        ("${b:-x$a}", "x1"),
        ("${empty:-x}${empty-y}", "x"),
        ("${a:+x}${b:+y}${empty+z}", "xz"),
        ("${a:?no}${empty?no}", "1"),
        (
            "${file##*/} ${file#*/} ${file%.*} ${file%%.*}",
            "x.tar.gz lib/x.tar.gz src/lib/x.tar src/lib/x",
        ),
        ("${file/lib/bin} ${file//s?/_}", "src/bin/x.tar.gz _c/lib/x.tar.gz"),
        ("100$", "100$"),
        ("${b:-${a}}", "1"),
    ],
)
def test_variables_are_filled_in_and_quotes_go(word: str, expected: str) -> None:
    assert expand_word(word, VALUES) == expected


def test_with_another_escape_a_backslash_is_a_character() -> None:
    assert expand_word("c:\\$a `$a", VALUES, "`") == "c:\\1 $a"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("${b:?give me b}", "b: give me b"),
        ("${b?}", "b: is not set"),
        ("${a", "${a: ${a has no closing brace"),
        ("${a:-x", "${a:-x: a } is missing"),
        ("${}", "${}: ${ must be followed by the name of a variable"),
        ("'a", "'a: a ' has no end"),
        ('"a', '"a: a " has no end'),
        ("${a^^}", "${a^^}: ${a^…} is not supported"),
    ],
)
def test_what_is_no_word_is_told(word: str, message: str) -> None:
    with pytest.raises(WordInvalid) as caught:
        expand_word(word, VALUES)
    assert str(caught.value) == message


def test_lines_are_cut_at_blanks_that_are_not_protected() -> None:
    assert split_words("a='b c'  d\\ e\t\"f g\"h") == ("a='b c'", "d\\ e", '"f g"h')
    assert split_words("  ") == ()


def test_a_quote_without_an_end_is_told() -> None:
    with pytest.raises(WordInvalid, match="has no end"):
        split_words("a 'b")
