"""Describe errors of jsonschema for people: what is allowed here, what stands here, what is similar.

Words that scripts look for in docker compose's messages are kept.
"""

import re
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from cntnr_compose.compose.basics.diagnostics import Diagnostic, Path, did_you_mean
from cntnr_compose.compose.validation.fast_schema import (
    REFUSED_KEYWORD,
    FastSchema,
    equality_key,
    is_number,
)
from cntnr_compose.core.frozen import Tree

TYPE_NAMES = {"object": "mapping", "array": "list"}  # what compose files call them
MAX_QUOTED = 40  # letters of what the user wrote


def describe_error(error: Any, above: Path, schema: FastSchema) -> Iterator[Diagnostic]:
    """Describe an error of jsonschema that was found below a path."""
    yield from _describe(error, (*above, *error.absolute_path), schema)


def _describe(error: Any, path: Path, schema: FastSchema) -> Iterator[Diagnostic]:
    keyword = error.validator
    if keyword in ("oneOf", "anyOf"):
        yield from _union(error, path, schema)
    elif keyword in DESCRIBE_KEYS:
        yield from DESCRIBE_KEYS[keyword](error, path, schema)
    elif keyword in DESCRIBE_VALUE:
        message, hint = DESCRIBE_VALUE[keyword](error.validator_value, error.instance)
        yield Diagnostic(path=path, message=message, hint=hint)
    else:
        yield Diagnostic(path=path, message=error.message or f"does not fit: {keyword}")


def _union(error: Any, path: Path, schema: FastSchema) -> Iterator[Diagnostic]:
    """Describe the errors of the form that the user meant: the one of the same type; or name all types."""
    branches: dict[int, list[Any]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    of_same_type = [
        errors for errors in branches.values() if not any(_is_wrong_type(inner) for inner in errors)
    ]
    if of_same_type:
        # Of several forms of one type, the one with the fewest errors is the likeliest.
        for inner in min(of_same_type, key=len):
            yield from _describe(inner, (*path, *inner.path), schema)
        return
    types: list[str] = []
    for errors in branches.values():
        for inner in errors:
            if _is_wrong_type(inner):
                types += _as_list(inner.validator_value)
    message, hint = _type(types, error.instance)
    yield Diagnostic(path=path, message=message, hint=hint)


def _is_wrong_type(error: Any) -> bool:
    return error.validator == "type" and not error.path


def _unknown_keys(error: Any, path: Path, schema: FastSchema) -> Iterator[Diagnostic]:
    node = error.schema
    properties: Tree = node.get("properties", {})
    patterns = [re.compile(pattern).search for pattern in node.get("patternProperties", {})]
    for key in error.instance:
        if key in properties or any(search(key) for search in patterns):
            continue
        hint = node.get(REFUSED_KEYWORD, {}).get(key) or _where_it_belongs(key, properties, schema)
        hint = hint or did_you_mean(key, properties)
        if not properties:
            hint = "a name is made of letters, digits, '.', '_' and '-'"
        yield Diagnostic(
            path=(*path, key), message=f"additional properties '{key}' not allowed", hint=hint
        )


def _where_it_belongs(key: str, properties: Tree, schema: FastSchema) -> str:
    """Find a neighbour of a misplaced key under which it is known."""
    for name, node in properties.items():
        for form in _forms(node, schema):
            if key in form.get("properties", {}):
                return f"it belongs under {name}"
    return ""


def _forms(node: Any, schema: FastSchema) -> Iterator[Tree]:
    if not isinstance(node, dict):
        return
    if "$ref" in node:
        yield from _forms(schema.resolve_reference(node["$ref"]), schema)
    for form in node.get("oneOf", ()):
        yield from _forms(form, schema)
    yield node


def _missing_keys(error: Any, path: Path, _: FastSchema) -> Iterator[Diagnostic]:
    for name in error.validator_value:
        if name not in error.instance:
            yield Diagnostic(path=path, message=f"missing property '{name}'")


def _unique_items(_: bool, instance: Any) -> tuple[str, str]:  # noqa: FBT001 - the keyword's own value
    seen: dict[Hashable, int] = {}
    for index, item in enumerate(instance):
        first = seen.setdefault(equality_key(item), index)
        if first != index:
            return f"items at {first} and {index} are equal", ""
    raise AssertionError(instance)


def _type(types: str | list[str], instance: Any) -> tuple[str, str]:
    allowed = sorted({TYPE_NAMES.get(name, name) for name in _as_list(types)})
    words = " or ".join(filter(None, [", ".join(allowed[:-1]), allowed[-1]]))
    hint = ""
    if hasattr(instance, "isoformat"):
        return "invalid jsonType time.Time: a date stands here", "put it in quotes"
    if allowed == ["string"] and is_number(instance):
        hint = f'put it in quotes: "{instance}"'
    return f"must be a {words}, not {_quoted(instance)}", hint


def _as_list(types: str | list[str]) -> list[str]:
    return [types] if isinstance(types, str) else types


def _quoted(instance: Any) -> str:
    match instance:
        case None:
            return "null"
        case bool():
            return "true" if instance else "false"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return f"the string '{_shortened(instance)}'"
        case _:
            return f"the number {instance}" if is_number(instance) else _shortened(str(instance))


def _shortened(text: str) -> str:
    first = text.split("\n", 1)[0]
    return first if len(first) == len(text) <= MAX_QUOTED else first[:MAX_QUOTED] + "…"


def _enum(allowed: list[Any], instance: Any) -> tuple[str, str]:
    words = ", ".join(f"'{word}'" for word in allowed)
    return f"value must be one of {words}, not {_quoted(instance)}", did_you_mean(instance, allowed)


def _pattern(pattern: str, instance: Any) -> tuple[str, str]:
    return f"'{_shortened(instance)}' does not match pattern '{pattern}'", ""


def _minimum(limit: float, instance: Any) -> tuple[str, str]:
    return f"must be greater than or equal to {limit}, not {instance}", ""


def _maximum(limit: float, instance: Any) -> tuple[str, str]:
    return f"must be less than or equal to {limit}, not {instance}", ""


DESCRIBE_VALUE: dict[str, Callable[[Any, Any], tuple[str, str]]] = {
    "type": _type,
    "enum": _enum,
    "pattern": _pattern,
    "uniqueItems": _unique_items,
    "minimum": _minimum,
    "maximum": _maximum,
}
DESCRIBE_KEYS: dict[str, Callable[[Any, Path, FastSchema], Iterator[Diagnostic]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_keys,
}
