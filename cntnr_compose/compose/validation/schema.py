"""Hold a tree against the Compose schema. The one home of jsonschema.

A valid tree is the common case and costs little: `load.shape` says yes. Only when it says no,
jsonschema is asked what is wrong, in the parts that do not fit, and `load.phrases` words it.
"""

import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Any

from cntnr_compose.compose.basics.diagnostics import MAX_SHOWN, Diagnostic, Path
from cntnr_compose.compose.validation.fast_schema import (
    KEYWORD_CHECKS,
    REFUSED_KEYWORD,
    Check,
    FastSchema,
    type_check,
)
from cntnr_compose.core.frozen import Tree

SCHEMA_FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "schemas")
NAMED = ("services", "networks", "volumes", "configs", "secrets", "models")


class CannotFlatten(ValueError):
    """A new schema has definitions of a form that nobody has taught us yet."""

    def __init__(self, what: str) -> None:
        super().__init__(f"cannot lay {what} into one definition")


def check_schema(tree: Tree) -> list[Diagnostic]:
    """Tell all that docker compose's schema does not allow in a tree."""
    shape = docker_fast_schema()
    if shape.fits(tree):
        return []
    odd = list(islice(_non_string_keys(tree, ()), MAX_SHOWN + 1))
    if odd:
        return odd
    findings: dict[Diagnostic, None] = {}
    for finding in _schema_errors(shape, tree):
        findings[finding] = None
        if len(findings) > MAX_SHOWN:
            break
    return list(findings)


def read_published_schema() -> Tree:
    """Read the published schema."""
    schema: Tree = _read("compose-spec.json")
    return schema


def _read(name: str) -> Any:
    import json  # not msgspec: json is there five times as soon

    with open(os.path.join(SCHEMA_FOLDER, name), "rb") as file:
        return json.load(file)


def read_docker_schema() -> Tree:
    """Give the schema that docker compose has: the published one and the rows of differences."""
    schema = read_published_schema()
    for row in _read("differences.json"):
        *above, last = row["at"].removeprefix("/").split("/")
        nodes: list[Any] = [schema]
        for step in above:
            nodes.append(nodes[-1][int(step) if isinstance(nodes[-1], list) else step])
        del nodes[-1][last]  # and a row that fits no more is a bug
        if row["op"] == "replace":
            nodes[-1][last] = row["value"]
        elif above[-1] == "properties":
            nodes[-2].setdefault(REFUSED_KEYWORD, {})[last] = row["why"]
    return schema


def flatten_schema(schema: Tree) -> Tree:
    """Give a schema without ``unevaluatedProperties``: the parts of ``allOf`` laid into one.

    Raises `CannotFlatten` where a definition is not merely made of sets of properties.
    """
    definitions: Tree = schema["$defs"]
    gathered = ("properties", "patternProperties", REFUSED_KEYWORD)

    def lay(node: Tree) -> Tree:
        if "allOf" not in node:
            return node
        laid: Tree = {name: {} for name in gathered}
        own = {key: value for key, value in node.items() if key != "allOf"}
        for part in [*(definitions[one["$ref"].split("/")[-1]] for one in node["allOf"]), own]:
            for key, value in lay(part).items():
                if key in gathered:
                    if laid[key].keys() & value.keys() - {"^x-"}:
                        raise CannotFlatten(key)
                    laid[key] |= value
                elif key == "unevaluatedProperties" and value is False:
                    laid["additionalProperties"] = False
                elif key in ("type", "required", "description", "title"):
                    laid[key] = value
                else:
                    raise CannotFlatten(key)
        return laid

    return schema | {"$defs": {name: lay(node) for name, node in definitions.items()}}


@cache
def docker_fast_schema() -> FastSchema:
    """Give the quick form of docker compose's schema."""
    return FastSchema(flatten_schema(read_docker_schema()))


def _non_string_keys(node: Any, path: Path) -> Iterator[Diagnostic]:
    """Find keys that are not text; jsonschema cannot read a tree that has them."""
    ahead: list[tuple[Path, Any]] = [(path, node)]
    seen: set[int] = set()  # what aliases repeat is looked at once
    while ahead:
        at, one = ahead.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, list):
            ahead.extend(((*at, index), item) for index, item in enumerate(one))
        elif isinstance(one, dict):
            for key, item in one.items():
                if not isinstance(key, str):
                    place = f"in {'.'.join(map(str, at))}" if at else "at top level"
                    text = f"non-string key {place}: {key}"
                    yield Diagnostic(path=at, message=text, hint="put it in quotes")
                ahead.append(((*at, str(key)), item))


def _schema_errors(shape: FastSchema, tree: Tree) -> Iterator[Diagnostic]:
    """Ask jsonschema about the parts that do not fit, and only about those."""
    from cntnr_compose.compose.validation.wording import describe_error

    for path, node, part in _misfits(shape, tree):
        for error in _validator(shape, node).iter_errors(part):
            yield from describe_error(error, path, shape)


def _misfits(shape: FastSchema, tree: Any) -> Iterator[tuple[Path, Tree, Any]]:
    """Give the parts of a tree that do not fit: single services, networks, …, or the whole."""
    root = shape.schema
    if not isinstance(tree, dict):
        yield (), root, tree
        return
    outline = {}
    for key, section in tree.items():
        entries = root["properties"].get(key, {}).get("patternProperties", {})
        if key not in NAMED or not isinstance(section, dict) or len(entries) != 1:
            outline[key] = section
            continue
        ((pattern, entry),) = entries.items()
        each, named = shape.compile_check(entry), re.compile(pattern).search
        outline[key] = {name: one for name, one in section.items() if not named(name)}
        for name, one in section.items():
            if named(name) and not each(one):
                yield (key, name), entry, one
    if not shape.fits(outline):
        yield (), root, outline


def _validator(shape: FastSchema, node: Tree) -> Any:
    """Give a jsonschema validator for a piece of the schema, with keywords that cost little.

    The stock ones write what they found into each message, list every mistake of every form that a
    value might have, and compare each item of a list with each other.
    """
    import jsonschema

    def quietly(make: Callable[[Any], Check]) -> Any:
        def keyword(_: Any, wanted: Any, instance: Any, __: Any) -> Iterator[Any]:
            if not make(wanted)(instance):
                yield jsonschema.ValidationError("")

        return keyword

    def union(validator: Any, forms: list[Any], instance: Any, _: Any) -> Iterator[Any]:
        told = []
        for index, form in enumerate(forms):
            errors = validator.descend(instance, form, schema_path=index)
            found = list(islice(errors, MAX_SHOWN))
            if not found:
                return
            told += found
        yield jsonschema.ValidationError("", context=told)

    def unique(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
        # Only items that fit are compared: how deep others are nested nobody knows.
        if isinstance(instance, list) and all(
            map(shape.compile_check(schema.get("items", True)), instance)
        ):
            yield from keywords["uniqueItems"](validator, wanted, instance, schema)

    keywords = {name: quietly(make) for name, make in KEYWORD_CHECKS.items()}
    extend: Any = jsonschema.validators.extend
    kind = extend(
        jsonschema.Draft202012Validator,
        {
            **keywords,
            "type": quietly(type_check),
            "oneOf": union,
            "anyOf": union,
            "uniqueItems": unique,
        },
    )
    return kind(node | {"$defs": shape.schema["$defs"]})
