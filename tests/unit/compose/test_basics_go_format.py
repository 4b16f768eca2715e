"""Scalars as words."""

import math

import pytest

from cntnr_compose.compose.basics.go_format import format_value


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("x", "x"),
        (True, "true"),
        (False, "false"),
        (None, "<nil>"),
        (10**21, "1000000000000000000000"),
        (1.0, "1"),
        (-0.0, "-0"),
        (0.0, "0"),
        (1.5, "1.5"),
        (123456.0, "123456"),
        (1000000.0, "1e+06"),
        (1234567.0, "1.234567e+06"),
        (1.5e10, "1.5e+10"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-0.25, "-0.25"),
        (1e300, "1e+300"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_a_scalar_is_written_as_go_writes_it(value: object, word: str) -> None:
    assert format_value(value) == word
