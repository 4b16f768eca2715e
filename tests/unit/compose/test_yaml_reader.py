"""YAML text to trees."""

import math
import time
from typing import Any

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.yaml.reader import Document, PositionIndex, read_documents
from cntnr_compose.compose.yaml.scalars import Timestamp


def one(text: str) -> Document:
    (found,) = read_documents(text, "f.yaml")
    return found


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
    found = one(f"a: {text}").tree["a"]
    assert found == value
    assert type(found) is type(value)


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
    found = one(f"a: {text}").tree["a"]
    assert isinstance(found, Timestamp)
    assert found == value


@pytest.mark.parametrize("text", ["2001-13-01", "2001-01-01t10:00:00 -3:00", "2001-01-01 25:00:00"])
def test_what_no_calendar_knows_is_a_word(text: str) -> None:
    assert type(one(f"a: {text}").tree["a"]) is str


def test_merged_keys_stand_below_ones_own() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], c: 3}\n"
    assert one(text).tree["z"] == {"a": 1, "b": 1, "c": 3}


def test_documents_come_one_by_one() -> None:
    assert [found.tree for found in read_documents("a: 1\n---\nb: 2\n", "f")] == [
        {"a": 1},
        {"b": 2},
    ]
    assert list(read_documents("# nothing\n", "f")) == []


def test_what_is_reset_goes_and_is_remembered() -> None:
    found = one("a: {b: !reset null, c: !override [1], d: [1, !reset 2, 3]}\n")
    assert found.tree == {"a": {"c": [1], "d": [1, 3]}}
    assert found.reset_paths == (("a", "b"), ("a", "c"), ("a", "d", 1))


def test_a_reset_in_an_anchor_counts_wherever_it_is_named() -> None:
    found = one("x: &x {p: !reset null}\ny: {<<: *x}\nz: *x\n")
    assert found.reset_paths == (("x", "p"), ("y", "p"), ("z", "p"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a:\n  b: 1\n  b: 2\n", 'f.yaml:3:3: a: mapping key "b" already defined at line 2'),
        ("{1: 2}", "f.yaml:1:2: non-string key at top level: 1"),
        ("a: {~: 2}", "non-string key in a: <nil>"),
        ("{[1]: 2}", "invalid map key"),
        ("a: *b", "unknown anchor 'b' referenced"),
        ("a: &a [*a]", "cycle detected"),
        ("a: {<<: 3}", "map merge requires map or sequence of maps as the value"),
        ("a: [", "f.yaml:2:1"),
        ("a: b: c", "mapping values are not allowed in this context"),
        ("a: !!bool yes", "cannot decode !!str `yes` as a !!bool"),
        ("a: \x01", "control characters are not allowed"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ComposeFileInvalid) as raised:
        list(read_documents(text, "f.yaml"))
    assert said in str(raised.value)


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)]
    begun = time.perf_counter()
    with pytest.raises(ComposeFileInvalid, match="excessive aliasing"):
        list(read_documents("\n".join(lines), "f"))
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize("text", ["[" * 500 + "]" * 500, "- " * 500 + "a"])
def test_depth_ends_somewhere(text: str) -> None:
    with pytest.raises(ComposeFileInvalid, match="nested more than 128 levels"):
        list(read_documents(text, "f"))


def test_aliases_do_not_make_it_deeper() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 200))]
    with pytest.raises(ComposeFileInvalid, match="nested more than 128 levels"):
        list(read_documents("\n".join(lines), "f"))


def test_marks_find_keys_items_and_what_is_merged() -> None:
    marks = PositionIndex("a:\n  b: [x, y]\nc:\n  <<: {d: 1}\n")
    assert marks.locate(("a", "b", 1), {}) == (3, 2, 10)
    assert marks.locate(("c", "d"), {})[:2] == (2, 4)
    assert marks.locate(("a", "zz"), {}) == (1, 1, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("%YAML 1.2\n---\na: b\n", "found incompatible YAML document"),
        (r'a: "b\/c"', "found unknown escape character"),
        (r'"\\\/": c', "found unknown escape character"),
        ("a: !!timestamp b", "cannot decode !!str `b` as a !!timestamp"),
        ("a: !!binary b c", "as a !!binary"),
    ],
)
def test_what_go_does_not_read_is_refused(text: str, said: str) -> None:
    with pytest.raises(ComposeFileInvalid) as raised:
        list(read_documents(text, "f.yaml"))
    assert said in str(raised.value)


def test_the_yaml_that_go_reads_may_be_named() -> None:
    assert one("%YAML 1.1\n---\na: b\n").tree == {"a": "b"}
