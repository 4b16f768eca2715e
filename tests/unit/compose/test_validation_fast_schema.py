"""The quick checker knows JSON schema's rules about values, as far as they are used."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cntnr_compose.compose.validation.fast_schema import FastSchema, equality_key

VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 1.0, 1.5, 2.0, float("inf"), "", "a", "ab", "b1",
    [], [1], [1, 1.0], [1, True], [0, False], ["a", "a"], [[1], [1.0]], [{"a": 1}, {"a": 1.0}],
    [["bool", 1], True], [{"a": [1]}, {"a": [True]}], [1, 2, 3],
    {}, {"a": 1}, {"a": "x"}, {"a": 1, "b": 2}, {"x-b": 1}, {"ab": True},
]  # fmt: skip
SCHEMAS: list[Any] = [
    True,
    False,
    {},
    {"type": "integer"},
    {"type": "number"},
    {"type": ["string", "null"]},
    {"type": ["integer", "boolean"]},
    {"type": "array", "items": {"type": "integer"}},
    {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False},
    {"properties": {"a": {"type": "integer"}}, "additionalProperties": {"type": "integer"}},
    {"patternProperties": {"^a": {"type": "integer"}, "b$": {"type": "boolean"}}},
    {"properties": {"ab": {}}, "patternProperties": {"b$": {"type": "boolean"}}},
    {"required": ["a"]},
    {"required": ["a", "b"], "type": ["object", "array"]},
    {"uniqueItems": True},
    {"uniqueItems": False},
    {"enum": [1, "a", None, [1], {"a": 1}]},
    {"enum": [True]},
    {"const": 1},
    {"pattern": "^[a-z]$"},
    {"minimum": 1, "maximum": 2},
    {"minItems": 1, "maxItems": 2},
    {"minLength": 1, "maxLength": 1},
    {"allOf": [{"type": "integer"}, {"minimum": 1}]},
    {"anyOf": [{"type": "integer"}, {"minimum": 1}]},
    {"oneOf": [{"type": "integer"}, {"type": "number"}, {"type": "array"}]},
    {"$defs": {"n": {"type": "integer"}}, "items": {"$ref": "#/$defs/n"}},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_each_keyword_means_what_jsonschema_means_by_it(schema: Any) -> None:
    fits = FastSchema(schema).compile_check(schema)
    slow = Draft202012Validator(schema).is_valid
    assert [fits(value) for value in VALUES] == [slow(value) for value in VALUES]


def test_a_key_that_is_no_text_fits_nothing_that_has_properties() -> None:
    assert not FastSchema({"properties": {}}).fits({1: 2})


def test_values_are_the_same_as_json_means_it() -> None:
    assert equality_key([1, {"a": 2.0}]) == equality_key([1.0, {"a": 2}])
    assert equality_key(True) != equality_key(1)
    assert equality_key([]) != equality_key({})
