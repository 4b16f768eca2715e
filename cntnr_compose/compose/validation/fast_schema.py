"""Check quickly whether a tree fits a JSON schema: yes or no, without the reason.

The checks are compiled from the schema itself, so they cannot be stale. A keyword that is not supported
is refused when the schema is compiled, never ignored.
"""

import re
from collections.abc import Callable, Hashable, Iterator
from typing import Any, TypeAlias

from cntnr_compose.core.frozen import Tree

Check: TypeAlias = Callable[[Any], bool]

TYPES: dict[str, frozenset[type]] = {
    "object": frozenset({dict}),
    "array": frozenset({list}),
    "string": frozenset({str}),
    "boolean": frozenset({bool}),
    "null": frozenset({type(None)}),
    "number": frozenset({int, float}),
    "integer": frozenset({int}),
}
REFUSED_KEYWORD = "x-refused"  # properties that docker compose does not know yet, and why
IGNORED_KEYWORDS = frozenset(
    {"$schema", "$id", "$defs", "definitions", "default", "deprecated", "format", REFUSED_KEYWORD}
)
OBJECT_KEYWORDS = frozenset({"properties", "patternProperties", "additionalProperties"})


class UnknownKeyword(ValueError):
    """A schema uses a keyword that has no check here; somebody has to add it."""

    def __init__(self, keyword: str) -> None:
        super().__init__(f"cannot interpret the schema keyword {keyword!r}")


class FastSchema:
    """A schema whose parts are compiled to functions when a document first needs them."""

    def __init__(self, schema: Tree) -> None:
        self.schema = schema
        self._compiled: dict[str, Check] = {}
        self.fits = self.compile_check(schema)

    def compile_check(self, node: Any) -> Check:
        """Compile a part of the schema to a function that checks a value."""
        if isinstance(node, bool):
            return _always if node else _never
        parts = list(self._parts(node))
        if not parts:
            return _always
        if len(parts) == 1:
            return parts[0]
        return _all_of(parts)

    def resolve_reference(self, reference: str) -> Any:
        """Return the part of the schema that a ``$ref`` names."""
        node: Any = self.schema
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
        return node

    def _parts(self, node: Tree) -> Iterator[Check]:
        if "type" in node:
            yield type_check(node["type"])
        if OBJECT_KEYWORDS & node.keys():
            yield self._object(node)
        # uniqueItems comes last: only items that fit have a bounded depth and may be compared.
        for keyword, operand in sorted(node.items(), key=lambda pair: pair[0] == "uniqueItems"):
            if keyword in IGNORED_KEYWORDS or keyword == "type" or keyword in OBJECT_KEYWORDS:
                continue
            match keyword:
                case "$ref":
                    yield self._reference(operand)
                case "allOf":
                    yield _all_of([self.compile_check(part) for part in operand])
                case "anyOf":
                    yield _any_of([self.compile_check(part) for part in operand])
                case "oneOf":
                    yield _one_of([self.compile_check(part) for part in operand])
                case "items":
                    yield _items(self.compile_check(operand))
                case _ if keyword in KEYWORD_CHECKS:
                    yield KEYWORD_CHECKS[keyword](operand)
                case _:
                    raise UnknownKeyword(keyword)

    def _reference(self, name: str) -> Check:
        def check(value: Any) -> bool:
            compiled = self._compiled.get(name)
            if compiled is None:
                compiled = self._compiled[name] = self.compile_check(self.resolve_reference(name))
            return compiled(value)

        return check

    def _object(self, node: Tree) -> Check:
        properties = node.get("properties", {})
        patterns = [
            (re.compile(pattern).search, self.compile_check(part))
            for pattern, part in node.get("patternProperties", {}).items()
        ]
        additional = self.compile_check(node.get("additionalProperties", True))
        compiled: dict[str, Check] = {}

        def check_of_key(key: str) -> Check:
            parts = [part for search, part in patterns if search(key)]
            if key in properties:
                parts.insert(0, self.compile_check(properties[key]))
                compiled[key] = _all_of(parts) if len(parts) > 1 else parts[0]
                return compiled[key]
            if not parts:
                return additional
            return _all_of(parts) if len(parts) > 1 else parts[0]

        def check(value: Any) -> bool:
            if not isinstance(value, dict):
                return True
            for key, item in value.items():
                if type(key) is not str:
                    return False
                if not (compiled.get(key) or check_of_key(key))(item):
                    return False
            return True

        return check


def _always(_: Any) -> bool:
    return True


def _never(_: Any) -> bool:
    return False


def _all_of(parts: list[Check]) -> Check:
    def check(value: Any) -> bool:
        for part in parts:  # noqa: SIM110 - a generator costs twice as much here
            if not part(value):
                return False
        return True

    return check


def _any_of(parts: list[Check]) -> Check:
    def check(value: Any) -> bool:
        for part in parts:  # noqa: SIM110
            if part(value):
                return True
        return False

    return check


def _one_of(parts: list[Check]) -> Check:
    def check(value: Any) -> bool:
        fits = False
        for part in parts:
            if part(value):
                if fits:
                    return False
                fits = True
        return fits

    return check


def type_check(allowed: str | list[str]) -> Check:
    """Make the check of the keyword ``type``."""
    names = [allowed] if isinstance(allowed, str) else allowed
    types = frozenset[type]().union(*(TYPES[name] for name in names))
    is_integer = "integer" in names and "number" not in names

    def check(value: Any) -> bool:
        actual = type(value)
        return actual in types or (is_integer and actual is float and value.is_integer())

    return check


def _items(check_item: Check) -> Check:
    def check(value: Any) -> bool:
        if isinstance(value, list):
            for item in value:
                if not check_item(item):
                    return False
        return True

    return check


def _pattern(text: str) -> Check:
    search = re.compile(text).search
    return lambda value: not isinstance(value, str) or search(value) is not None


def _enum(allowed: list[Any]) -> Check:
    keys = [equality_key(value) for value in allowed]
    return lambda value: equality_key(value) in keys


def _unique_items(required: bool) -> Check:  # noqa: FBT001 - the keyword's own value
    if not required:
        return _always

    def check(value: Any) -> bool:
        if not isinstance(value, list) or len(value) < 2:
            return True
        return len({equality_key(item) for item in value}) == len(value)

    return check


def _required(names: list[str]) -> Check:
    return lambda value: not isinstance(value, dict) or all(name in value for name in names)


def _minimum(limit: float) -> Check:
    return lambda value: not is_number(value) or value >= limit


def _maximum(limit: float) -> Check:
    return lambda value: not is_number(value) or value <= limit


def _min_items(limit: int) -> Check:
    return lambda value: not isinstance(value, list) or len(value) >= limit


def _max_items(limit: int) -> Check:
    return lambda value: not isinstance(value, list) or len(value) <= limit


def _min_length(limit: int) -> Check:
    return lambda value: not isinstance(value, str) or len(value) >= limit


def _max_length(limit: int) -> Check:
    return lambda value: not isinstance(value, str) or len(value) <= limit


KEYWORD_CHECKS: dict[str, Callable[[Any], Check]] = {
    "pattern": _pattern,
    "enum": _enum,
    "const": lambda constant: _enum([constant]),
    "uniqueItems": _unique_items,
    "required": _required,
    "minimum": _minimum,
    "maximum": _maximum,
    "minItems": _min_items,
    "maxItems": _max_items,
    "minLength": _min_length,
    "maxLength": _max_length,
}


def is_number(value: Any) -> bool:
    """Return whether a value is a number in JSON: booleans are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def equality_key(value: Any) -> Hashable:
    """Return a hashable value, equal for values that JSON schema takes for equal."""
    actual = type(value)
    if actual is str:
        return value  # type: ignore[no-any-return]
    if actual is bool:
        return ("bool", value)
    if actual is dict:
        return frozenset((key, equality_key(item)) for key, item in value.items())
    if actual is list:
        return ("list", *(equality_key(item) for item in value))
    return value  # type: ignore[no-any-return]  # 1 and 1.0 are equal and hash alike
