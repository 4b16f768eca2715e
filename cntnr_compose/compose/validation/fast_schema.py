"""Tell quickly whether a tree fits a JSON schema: yes or no, without saying why.

It works on the schema itself, so it cannot be stale. A keyword that it does not know is refused when
the schema is read, never passed over.
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
    """A schema uses a keyword that is not interpreted here; somebody has to add it."""

    def __init__(self, keyword: str) -> None:
        super().__init__(f"cannot interpret the schema keyword {keyword!r}")


class FastSchema:
    """A schema, made into functions piece by piece, as documents ask for them."""

    def __init__(self, schema: Tree) -> None:
        self.schema = schema
        self._ready: dict[str, Check] = {}
        self.fits = self.compile_check(schema)

    def compile_check(self, node: Any) -> Check:
        """Make the function that tells whether a value fits a piece of the schema."""
        if isinstance(node, bool):
            return _always if node else _never
        parts = list(self._parts(node))
        if not parts:
            return _always
        if len(parts) == 1:
            return parts[0]
        return _all(parts)

    def resolve_reference(self, reference: str) -> Any:
        """Give the piece of the schema that a ``$ref`` within it names."""
        node: Any = self.schema
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
        return node

    def _parts(self, node: Tree) -> Iterator[Check]:
        if "type" in node:
            yield type_check(node["type"])
        if OBJECT_KEYWORDS & node.keys():
            yield self._object(node)
        # Comparing items comes last: it may only see items that fit, whose depth is bounded.
        for keyword, wanted in sorted(node.items(), key=lambda one: one[0] == "uniqueItems"):
            if keyword in IGNORED_KEYWORDS or keyword == "type" or keyword in OBJECT_KEYWORDS:
                continue
            match keyword:
                case "$ref":
                    yield self._reference(wanted)
                case "allOf":
                    yield _all([self.compile_check(one) for one in wanted])
                case "anyOf":
                    yield _any([self.compile_check(one) for one in wanted])
                case "oneOf":
                    yield _one([self.compile_check(one) for one in wanted])
                case "items":
                    yield _items(self.compile_check(wanted))
                case _ if keyword in KEYWORD_CHECKS:
                    yield KEYWORD_CHECKS[keyword](wanted)
                case _:
                    raise UnknownKeyword(keyword)

    def _reference(self, name: str) -> Check:
        def check(value: Any) -> bool:
            ready = self._ready.get(name)
            if ready is None:
                ready = self._ready[name] = self.compile_check(self.resolve_reference(name))
            return ready(value)

        return check

    def _object(self, node: Tree) -> Check:
        properties = node.get("properties", {})
        patterns = [
            (re.compile(pattern).search, self.compile_check(one))
            for pattern, one in node.get("patternProperties", {}).items()
        ]
        others = self.compile_check(node.get("additionalProperties", True))
        ready: dict[str, Check] = {}

        def of_key(key: str) -> Check:
            if key in properties:
                parts = [self.compile_check(properties[key])]
                parts += [one for search, one in patterns if search(key)]
                ready[key] = _all(parts) if len(parts) > 1 else parts[0]
                return ready[key]
            parts = [one for search, one in patterns if search(key)]
            if not parts:
                return others
            return _all(parts) if len(parts) > 1 else parts[0]

        def check(value: Any) -> bool:
            if not isinstance(value, dict):
                return True
            for key, item in value.items():
                if type(key) is not str:
                    return False
                if not (ready.get(key) or of_key(key))(item):
                    return False
            return True

        return check


def _always(_: Any) -> bool:
    return True


def _never(_: Any) -> bool:
    return False


def _all(parts: list[Check]) -> Check:
    def check(value: Any) -> bool:
        for part in parts:  # noqa: SIM110 - a generator costs twice as much here
            if not part(value):
                return False
        return True

    return check


def _any(parts: list[Check]) -> Check:
    def check(value: Any) -> bool:
        for part in parts:  # noqa: SIM110
            if part(value):
                return True
        return False

    return check


def _one(parts: list[Check]) -> Check:
    def check(value: Any) -> bool:
        found = False
        for part in parts:
            if part(value):
                if found:
                    return False
                found = True
        return found

    return check


def type_check(wanted: str | list[str]) -> Check:
    """Make the check of the keyword ``type``."""
    names = [wanted] if isinstance(wanted, str) else wanted
    kinds = frozenset[type]().union(*(TYPES[name] for name in names))
    whole = "integer" in names and "number" not in names

    def check(value: Any) -> bool:
        kind = type(value)
        return kind in kinds or (whole and kind is float and value.is_integer())

    return check


def _items(each: Check) -> Check:
    def check(value: Any) -> bool:
        if isinstance(value, list):
            for item in value:
                if not each(item):
                    return False
        return True

    return check


def _pattern(text: str) -> Check:
    search = re.compile(text).search
    return lambda value: not isinstance(value, str) or search(value) is not None


def _enum(allowed: list[Any]) -> Check:
    words = [equality_key(one) for one in allowed]
    return lambda value: equality_key(value) in words


def _unique(wanted: bool) -> Check:  # noqa: FBT001 - the keyword's own value
    if not wanted:
        return _always

    def check(value: Any) -> bool:
        if not isinstance(value, list) or len(value) < 2:
            return True
        return len({equality_key(item) for item in value}) == len(value)

    return check


def _required(names: list[str]) -> Check:
    return lambda value: not isinstance(value, dict) or all(name in value for name in names)


def _at_least(limit: float) -> Check:
    return lambda value: not is_number(value) or value >= limit


def _at_most(limit: float) -> Check:
    return lambda value: not is_number(value) or value <= limit


def _least_items(limit: int) -> Check:
    return lambda value: not isinstance(value, list) or len(value) >= limit


def _most_items(limit: int) -> Check:
    return lambda value: not isinstance(value, list) or len(value) <= limit


def _least_length(limit: int) -> Check:
    return lambda value: not isinstance(value, str) or len(value) >= limit


def _most_length(limit: int) -> Check:
    return lambda value: not isinstance(value, str) or len(value) <= limit


KEYWORD_CHECKS: dict[str, Callable[[Any], Check]] = {
    "pattern": _pattern,
    "enum": _enum,
    "const": lambda wanted: _enum([wanted]),
    "uniqueItems": _unique,
    "required": _required,
    "minimum": _at_least,
    "maximum": _at_most,
    "minItems": _least_items,
    "maxItems": _most_items,
    "minLength": _least_length,
    "maxLength": _most_length,
}


def is_number(value: Any) -> bool:
    """Tell whether JSON would call a value a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def equality_key(value: Any) -> Hashable:
    """Give something hashable that is equal for values that JSON schema calls equal."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return ("bool", value)
    if kind is dict:
        return frozenset((key, equality_key(item)) for key, item in value.items())
    if kind is list:
        return ("list", *(equality_key(item) for item in value))
    return value  # type: ignore[no-any-return]  # 1 and 1.0 are equal and hash alike
