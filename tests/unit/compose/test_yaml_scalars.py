"""Plain and tagged scalars, as go-yaml reads them."""

import math
from typing import Any

import pytest

from cntnr_compose.compose.yaml.reader import Document, read_documents
from cntnr_compose.compose.yaml.scalars import Timestamp


def parse(text: str) -> Document:
    (document,) = read_documents(text, "f.yaml")
    return document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("y", "y"),
        ("22:22", "22:22"),
        ("True", True),
        ("FALSE", False),
        ("~", None),
        ("NULL", None),
        ("", None),
        ("5", 5),
        ("+5", 5),
        ("-0", 0),
        ("010", 8),
        ("089", 89.0),
        ("0o17", 15),
        ("0o8", "0o8"),
        ("-0x1F", -31),
        ("0b11", 3),
        ("1_000", 1000),
        ("_1", "_1"),
        ("1.", 1.0),
        ("-.5", -0.5),
        ("1e3", 1000.0),
        ("1e400", "1e400"),
        ("9" * 400, "9" * 400),
        ("0x" + "f" * 20, "0x" + "f" * 20),
        (".inf", math.inf),
        ("1,000", "1,000"),
        ("12345678901234567890", 12345678901234567890),
        ("123456789012345678901234567890", 1.2345678901234568e29),
        ("'5'", "5"),
        ('"true"', "true"),
        ("!!str 5", "5"),
        ("!!int '5'", 5),
        ("!!float 3", 3.0),
        ("!!binary aGVsbG8=", "hello"),
        ("!own 5", "5"),
        ("! 5", 5),
        ("! '5'", "5"),
        ("!!timestamp '2001-01-01'", Timestamp("2001-01-01T00:00:00Z")),
        (r'"a\\/b"', r"a\/b"),
        ("<<", "<<"),
    ],
)
def test_a_scalar_is_what_go_reads(text: str, value: Any) -> None:
    scalar = parse(f"a: {text}").tree["a"]
    assert scalar == value
    assert type(scalar) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2001-01-01", "2001-01-01T00:00:00Z"),
        ("2001-1-2", "2001-01-02T00:00:00Z"),
        ("2001-01-01 10:00:00", "2001-01-01T10:00:00Z"),
        ("2001-01-01T10:00:00.50+02:00", "2001-01-01T10:00:00.5+02:00"),
    ],
)
def test_a_moment_is_no_word(text: str, value: str) -> None:
    scalar = parse(f"a: {text}").tree["a"]
    assert isinstance(scalar, Timestamp)
    assert scalar == value


@pytest.mark.parametrize("text", ["2001-13-01", "2001-01-01t10:00:00 -3:00", "2001-01-01 25:00:00"])
def test_what_no_calendar_knows_is_a_word(text: str) -> None:
    assert type(parse(f"a: {text}").tree["a"]) is str
