"""YAML text to trees."""

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.yaml.reader import Document, PositionIndex, read_documents


def parse(text: str) -> Document:
    (document,) = read_documents(text, "f.yaml")
    return document


def test_documents_come_one_by_one() -> None:
    assert [found.tree for found in read_documents("a: 1\n---\nb: 2\n", "f")] == [
        {"a": 1},
        {"b": 2},
    ]
    assert list(read_documents("# nothing\n", "f")) == []


@pytest.mark.parametrize(
    ("text", "message"),
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
def test_a_mistake_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ComposeFileInvalid) as raised:
        list(read_documents(text, "f.yaml"))
    assert message in str(raised.value)


def test_marks_find_keys_items_and_what_is_merged() -> None:
    marks = PositionIndex("a:\n  b: [x, y]\nc:\n  <<: {d: 1}\n")
    assert marks.locate(("a", "b", 1), {}) == (3, 2, 10)
    assert marks.locate(("c", "d"), {})[:2] == (2, 4)
    assert marks.locate(("a", "zz"), {}) == (1, 1, 1)
