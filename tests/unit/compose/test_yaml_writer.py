"""Trees as YAML text."""

from typing import Any

import pytest

from cntnr_compose.compose.yaml.writer import format_scalar, to_yaml


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (None, "null"),
        (True, "true"),
        (5, "5"),
        (1.5, "1.5"),
        (1.5e10, "1.5e+10"),
        ("plain", "plain"),
        ("", '""'),
        ("true", '"true"'),
        ("yes", '"yes"'),
        ("5", '"5"'),
        ("010", '"010"'),
        ("1.5", '"1.5"'),
        ("22:22", '"22:22"'),
        ("22:2²", "22:2²"),
        ("10.0.0.1:80", "10.0.0.1:80"),
        ("2001-01-01", '"2001-01-01"'),
        ("a b", "a b"),
        (" a", "' a'"),
        ("a ", "'a '"),
        ("a: b", "'a: b'"),
        ("a:", "'a:'"),
        ("a #b", "'a #b'"),
        ("a#b", "a#b"),
        ("- a", "'- a'"),
        ("-a", "-a"),
        ("?", "'?'"),
        ("it's", "it's"),
        ("'a", "'''a'"),
        ("@a", "'@a'"),
        ("*a", "'*a'"),
        ("---", "'---'"),
        ("a\tb", '"a\\tb"'),
        ("\x07", '"\\a"'),
        ("é", "é"),
        ("\ufeff", '"\\uFEFF"'),
        ("~", '"~"'),
        ("<<", "<<"),
    ],
)
def test_a_scalar_is_quoted_where_it_must_be(value: Any, word: str) -> None:
    assert format_scalar(value) == word


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": {}, "b": []}, "a: {}\nb: []\n"),
        ({"a": [1, [2, 3]]}, "a:\n  - 1\n  - - 2\n    - 3\n"),
        ({"a": [{"b": 1, "c": [2]}]}, "a:\n  - b: 1\n    c:\n      - 2\n"),
        ({"a": "x\ny"}, "a: |-\n  x\n  y\n"),
        ({"a": "x\ny\n"}, "a: |\n  x\n  y\n"),
        ({"a": "x\n\n"}, "a: |+\n  x\n\n"),
        ({"a": " x\ny"}, "a: |2-\n   x\n  y\n"),
    ],
)  # fmt: skip
def test_blocks_are_indented_by_two(value: Any, text: str) -> None:
    assert to_yaml(value) == text
