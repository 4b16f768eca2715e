"""Words to booleans and numbers."""

import pytest

from cntnr_compose.compose.basics import go_parse
from cntnr_compose.compose.basics.go_parse import CannotCast


@pytest.mark.parametrize("word", ["true", "True", "y", "YES", "on"])
def test_many_words_are_true(word: str) -> None:
    assert go_parse.parse_yaml_bool(word) is True


@pytest.mark.parametrize("word", ["false", "N", "no", "Off"])
def test_many_words_are_false(word: str) -> None:
    assert go_parse.parse_yaml_bool(word) is False


@pytest.mark.parametrize("word", ["", "1", "maybe", " true"])
def test_other_words_are_neither(word: str) -> None:
    with pytest.raises(CannotCast, match=f"invalid boolean: {word}"):
        go_parse.parse_yaml_bool(word)


@pytest.mark.parametrize(("word", "number"), [("5", 5), ("-5", -5), ("+5", 5), ("010", 10)])
def test_a_whole_number_is_decimal(word: str, number: int) -> None:
    assert go_parse.parse_int(word) == number
    assert go_parse.parse_int64(word) == number


def test_the_mode_of_a_file_is_octal() -> None:
    assert go_parse.parse_int("440", base=8) == 0o440
    with pytest.raises(CannotCast, match="invalid syntax"):
        go_parse.parse_int("0o440", base=8)


@pytest.mark.parametrize("word", ["", "x", "1.5", "1_0", "٣", "-"])
def test_what_is_no_whole_number_is_refused(word: str) -> None:
    with pytest.raises(CannotCast, match=r"strconv.Atoi: .* invalid syntax"):
        go_parse.parse_int(word)


def test_a_number_has_64_bits() -> None:
    with pytest.raises(CannotCast, match="out of range"):
        go_parse.parse_int64("9223372036854775808")


def test_a_decimal_of_32_bits_is_written_short() -> None:
    assert go_parse.parse_float32("0.1") == 0.1
    assert go_parse.round_to_float32(0.3333333333) == 0.33333334


@pytest.mark.parametrize("word", ["x", "1,5", "inf", "1e999", " 1"])
def test_what_is_no_decimal_is_refused(word: str) -> None:
    with pytest.raises(CannotCast, match=r"strconv.ParseFloat"):
        go_parse.parse_float32(word)


@pytest.mark.parametrize("word", ["yes", "tRUE", "", " 1"])
def test_strconv_knows_other_booleans_than_yaml(word: str) -> None:
    assert go_parse.parse_bool("T") is True
    assert go_parse.parse_bool("0") is False
    with pytest.raises(CannotCast):
        go_parse.parse_bool(word)
