"""Word what jsonschema found, for people: what is allowed here, what was found, what is near.

The words that scripts look for in docker compose's messages are kept.
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

KINDS = {"object": "mapping", "array": "list"}  # what compose files call them
LONG = 40  # of what the user wrote, this much is repeated


def describe_error(error: Any, above: Path, shape: FastSchema) -> Iterator[Diagnostic]:
    """Word an error of jsonschema that was found below ``above``."""
    path = (*above, *error.absolute_path)
    yield from _describe(error, path, shape)


def _describe(error: Any, path: Path, shape: FastSchema) -> Iterator[Diagnostic]:
    keyword = error.validator
    if keyword in ("oneOf", "anyOf"):
        yield from _union(error, path, shape)
    elif keyword in SEVERAL:
        yield from SEVERAL[keyword](error, path, shape)
    elif keyword in ONE:
        message, hint = ONE[keyword](error.validator_value, error.instance)
        yield Diagnostic(path=path, message=message, hint=hint)
    else:
        yield Diagnostic(path=path, message=error.message or f"does not fit: {keyword}")


def _union(error: Any, path: Path, shape: FastSchema) -> Iterator[Diagnostic]:
    """Speak of the form that the user meant: the one of the right kind; or name all kinds."""
    branches: dict[int, list[Any]] = {}
    for one in error.context:
        branches.setdefault(one.schema_path[0], []).append(one)
    meant = [
        found
        for found in branches.values()
        if not any(one.validator == "type" and not one.path for one in found)
    ]
    if len(meant) == 1:
        for one in meant[0]:
            yield from _describe(one, (*path, *one.path), shape)
        return
    if meant:
        # Several forms of one kind: those with the fewest complaints are the likeliest.
        for one in min(meant, key=len):
            yield from _describe(one, (*path, *one.path), shape)
        return
    kinds: list[str] = []
    for found in branches.values():
        for one in found:
            if one.validator == "type" and not one.path:
                kinds += _names(one.validator_value)
    message, hint = _kind(kinds, error.instance)
    yield Diagnostic(path=path, message=message, hint=hint)


def _unknown(error: Any, path: Path, shape: FastSchema) -> Iterator[Diagnostic]:
    node = error.schema
    properties: Tree = node.get("properties", {})
    patterns = [re.compile(one).search for one in node.get("patternProperties", {})]
    for key in error.instance:
        if key in properties or any(search(key) for search in patterns):
            continue
        hint = node.get(REFUSED_KEYWORD, {}).get(key) or _belongs(key, properties, shape)
        hint = hint or did_you_mean(key, properties)
        if not properties:
            hint = "a name is made of letters, digits, '.', '_' and '-'"
        yield Diagnostic(
            path=(*path, key), message=f"additional properties '{key}' not allowed", hint=hint
        )


def _belongs(key: str, properties: Tree, shape: FastSchema) -> str:
    """Tell where a key would be right: one step below a neighbour."""
    for name, node in properties.items():
        for form in _forms(node, shape):
            if key in form.get("properties", {}):
                return f"it belongs under {name}"
    return ""


def _forms(node: Any, shape: FastSchema) -> Iterator[Tree]:
    if not isinstance(node, dict):
        return
    if "$ref" in node:
        yield from _forms(shape.resolve_reference(node["$ref"]), shape)
    for one in node.get("oneOf", ()):
        yield from _forms(one, shape)
    yield node


def _missing(error: Any, path: Path, _: FastSchema) -> Iterator[Diagnostic]:
    for name in error.validator_value:
        if name not in error.instance:
            yield Diagnostic(path=path, message=f"missing property '{name}'")


def _equal(_: bool, instance: Any) -> tuple[str, str]:  # noqa: FBT001 - the keyword's own value
    seen: dict[Hashable, int] = {}
    for index, item in enumerate(instance):
        first = seen.setdefault(equality_key(item), index)
        if first != index:
            return f"items at {first} and {index} are equal", ""
    raise AssertionError(instance)


def _kind(kinds: str | list[str], instance: Any) -> tuple[str, str]:
    wanted = sorted({KINDS.get(kind, kind) for kind in _names(kinds)})
    words = " or ".join(filter(None, [", ".join(wanted[:-1]), wanted[-1]]))
    hint = ""
    if hasattr(instance, "isoformat"):
        return "invalid jsonType time.Time: a date stands here", "put it in quotes"
    if wanted == ["string"] and is_number(instance):
        hint = f'put it in quotes: "{instance}"'
    return f"must be a {words}, not {_shown(instance)}", hint


def _names(kinds: str | list[str]) -> list[str]:
    return [kinds] if isinstance(kinds, str) else kinds


def _shown(instance: Any) -> str:
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
            return f"the string '{_cut(instance)}'"
        case _:
            return f"the number {instance}" if is_number(instance) else _cut(str(instance))


def _cut(text: str) -> str:
    first = text.split("\n", 1)[0]
    return first if len(first) == len(text) <= LONG else first[:LONG] + "…"


def _enum(allowed: list[Any], instance: Any) -> tuple[str, str]:
    words = ", ".join(f"'{one}'" for one in allowed)
    return f"value must be one of {words}, not {_shown(instance)}", did_you_mean(instance, allowed)


def _pattern(pattern: str, instance: Any) -> tuple[str, str]:
    return f"'{_cut(instance)}' does not match pattern '{pattern}'", ""


def _least(limit: float, instance: Any) -> tuple[str, str]:
    return f"must be greater than or equal to {limit}, not {instance}", ""


def _most(limit: float, instance: Any) -> tuple[str, str]:
    return f"must be less than or equal to {limit}, not {instance}", ""


ONE: dict[str, Callable[[Any, Any], tuple[str, str]]] = {
    "type": _kind,
    "enum": _enum,
    "pattern": _pattern,
    "uniqueItems": _equal,
    "minimum": _least,
    "maximum": _most,
}
SEVERAL: dict[str, Callable[[Any, Path, FastSchema], Iterator[Diagnostic]]] = {
    "additionalProperties": _unknown,
    "required": _missing,
}
