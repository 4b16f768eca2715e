"""Words of a Dockerfile."""

import pytest

from cntnr_compose.builder.dockerfile.words import WordInvalid, expand_word, split_words

VALUES = {"a": "1", "empty": "", "file": "src/lib/x.tar.gz", "star": "*b?c"}


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
        ("$10$a", "1"),
        (
            "${file/*lib/x} ${file//\\//:} ${file/n*o/x}",
            "x/x.tar.gz src:lib:x.tar.gz src/lib/x.tar.gz",
        ),
        ("${star#\\*} ${star%%\\?*}", "b?c *b"),
        ("${b:-x\\}y}", "x}y"),
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
        ("${b?}", "b: is not allowed to be unset"),
        ("${empty:?}", "empty: is not allowed to be empty"),
        ("${a", "${a: syntax error: missing '}'"),
        ("${a:-x", "${a:-x: syntax error: missing '}'"),
        ("${}", "${}: syntax error: bad substitution"),
        ("'a", "'a: unexpected end of statement: a ' has no end"),
        ('"a', '"a: unexpected end of statement: a " has no end'),
        ("${a^^}", "${a^^}: unsupported modifier (^) in substitution"),
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


def test_in_a_heredoc_quotes_are_characters_and_a_backslash_escapes_anything() -> None:
    text = "\"$a\" '$a' \\$a \\\\ \\x \\\n"
    assert expand_word(text, VALUES, keep_quotes=True) == "\"1\" '1' $a \\ x \n"


def test_no_pattern_and_no_nesting_takes_forever() -> None:
    assert expand_word("${v//" + "*a" * 30 + "b/}", {"v": "a" * 2000}) == "a" * 2000
    with pytest.raises(WordInvalid, match="within each other"):
        expand_word("${x:-" * 5000, {})
    with pytest.raises(WordInvalid, match="too long"):
        expand_word("$v" * 200, {"v": "x" * (1 << 20)})
