"""Rules keyed by path, and the walk that applies them."""

from typing import Any

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid, Path, fail
from cntnr_compose.compose.basics.path_rules import (
    HERE,
    apply_rules,
    compile_rules,
    docker_path,
    rules_below,
)


def double(value: Any, _path: Path) -> Any:
    return value * 2


def refuse_negative(value: Any, path: Path) -> Any:
    return value if value >= 0 else fail("is negative", path)


def test_a_star_is_any_key_and_any_item() -> None:
    rules = compile_rules({"a.*.b": double})
    tree = {"a": [{"b": 1}, {"b": 2, "c": 3}], "b": 4}
    assert apply_rules(tree, rules) is tree
    assert tree == {"a": [{"b": 2}, {"b": 4, "c": 3}], "b": 4}


def test_a_key_by_its_name_goes_before_the_star() -> None:
    rules = compile_rules({"*": 1, "a": 2})
    for key, entry in (("a", 2), ("b", 1)):
        below = rules_below(rules, key)
        assert below is not None
        assert below[HERE] == entry


def test_a_rule_sees_what_the_rule_above_it_made() -> None:
    rules = compile_rules({"a": lambda value, _: {"b": value}, "a.b": double})
    assert apply_rules({"a": 3}, rules) == {"a": {"b": 6}}


def test_all_that_rules_refuse_is_reported_at_once() -> None:
    rules = compile_rules({"a.*": refuse_negative, "b": refuse_negative})
    with pytest.raises(ComposeFileInvalid) as raised:
        apply_rules({"a": [-1, 1, -2], "b": -3}, rules)
    assert [one.path for one in raised.value.diagnostics] == [("a", 0), ("a", 2), ("b",)]


def test_items_of_lists_have_no_number_in_docker_s_messages() -> None:
    assert docker_path(("services", "a", "ports", 2)) == "services.a.ports.[]"
