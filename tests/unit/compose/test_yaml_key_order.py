"""The order of keys that go-yaml writes."""

import pytest

from cntnr_compose.compose.yaml.key_order import sort_keys, sort_keys_deep


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["s10", "s2", "s1"], ["s1", "s2", "s10"]),
        (["b", "A", "a", "B"], ["A", "B", "a", "b"]),
        (["a_b", "ab", "a1", "a"], ["a", "a_b", "a1", "ab"]),
        (["A_1", "A1", "AB"], ["A_1", "A1", "AB"]),
        (["_x", "a", "1"], ["_x", "1", "a"]),
        (["T_1", "TW_2", "TWO"], ["T_1", "TW_2", "TWO"]),
        (["x01", "x1", "x001"], ["x1", "x01", "x001"]),
    ],
)
def test_keys_are_in_the_order_of_go_yaml(keys: list[str], expected: list[str]) -> None:
    assert sort_keys(keys) == expected


def test_all_mappings_of_a_tree_can_be_put_in_order() -> None:
    assert list(sort_keys_deep({"b": [{"y": 1, "x": 2}], "a": 1})["b"][0]) == ["x", "y"]
