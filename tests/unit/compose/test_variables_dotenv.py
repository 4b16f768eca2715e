"""Env files, with docker compose's own syntax."""

import pytest

from cntnr_compose.compose.variables.dotenv import EnvFileInvalid, parse_dotenv, parse_raw_dotenv
from cntnr_compose.compose.variables.syntax import VariableMissing


def nothing(_name: str) -> None:
    return None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\n", {"A": "1"}),
        ("A: 1\n", {"A": "1"}),
        ("export A=1\n", {"A": "1"}),
        ("exportA=1\n", {"exportA": "1"}),
        ("A = 1 # c\n", {"A": "1"}),
        ("A=a#b\n", {"A": "a#b"}),
        ("A=\nB=2", {"A": "", "B": "2"}),
        ("A=''\n", {"A": ""}),
        ("  # c\n\n  B=2\n", {"B": "2"}),
        ("A='a\\nb\\'c $X'\n", {"A": "a\\nb'c $X"}),
        ('A="a\\nb\\tc\\\\d\\"e"\n', {"A": 'a\nb\tc\\d"e'}),
        ('A="two\nlines" # c\nB=1\n', {"A": "two\nlines", "B": "1"}),
        ("A='x'B=2\n", {"A": "x", "B": "2"}),
        ("P.x-y[1]=5\n", {"P.x-y[1]": "5"}),
        ("1A=3\n", {"1A": "3"}),
        ("A=b=c\n", {"A": "b=c"}),
        ("A=1\r\nB='x'\r\n", {"A": "1", "B": "x"}),
        ("\ufeffA=1\n", {"A": "1"}),
        ("A=1\nB=$A-${NO:-d}-${A:+x}\n", {"A": "1", "B": "1-d-x"}),
        ("A=1\nB=\"$A\"\nC='$A'\n", {"A": "1", "B": "1", "C": "$A"}),
        ('A=$$x\nB="\\$x"\n', {"A": "$x", "B": "$x"}),
        ('A="\\0101\\041\\07"\n', {"A": "A\\41\\7"}),
        ("é=1\n", {"é": "1"}),
        ("export \n# c\n", {}),
        ("A", {"": "A"}),
    ],
)
def test_a_file_is_read(text: str, expected: dict[str, str]) -> None:
    assert parse_dotenv(text, nothing) == expected


def test_a_name_alone_passes_the_environment_on() -> None:
    assert parse_dotenv("A\nB\n", {"A": "outer"}.get) == {"A": "outer"}


def test_the_environment_is_asked_before_the_file_and_what_is_known() -> None:
    variables = parse_dotenv("A=own\nB=$A $K\n", {"A": "outer"}.get, {"K": "known"})
    assert variables == {"A": "own", "B": "outer known"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A B=1\n", "line 1: key cannot contain a space"),
        ("A=1\nB!=1\n", 'line 2: unexpected character "!" in variable name "B!=1"'),
        ("A='x\ny\n", "line 1: unterminated quoted value 'x"),
    ],
)
def test_a_line_that_cannot_be_read_is_told(text: str, message: str) -> None:
    with pytest.raises(EnvFileInvalid) as raised:
        parse_dotenv(text, nothing)
    assert str(raised.value) == message


def test_a_variable_that_must_be_there_is_missed() -> None:
    with pytest.raises(VariableMissing, match="required variable X is missing a value: why"):
        parse_dotenv("A=${X:?why}\n", nothing)


def test_raw_values_are_taken_as_they_are() -> None:
    text = 'X="1"\n# c\n A= $B \n\nC=a=b\r\n'
    assert parse_raw_dotenv(text, nothing) == {"X": '"1"', "A": " $B ", "C": "a=b"}


def test_a_raw_name_alone_takes_what_is_known() -> None:
    known = {"A": "one", "B": ""}
    assert parse_raw_dotenv("A\nB\nC\n", known.get) == {"A": "one", "B": ""}


@pytest.mark.parametrize("line", ["B C=3", "B =3", "B\t=3", "B ", "=3"])
def test_a_raw_name_is_one_word(line: str) -> None:
    with pytest.raises(EnvFileInvalid, match="line 2"):
        parse_raw_dotenv(f"A=1\n{line}\n", nothing)
