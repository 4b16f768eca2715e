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

from cntnr_compose.compose.basics.diagnostics import SHOWN, Finding, Path
from cntnr_compose.compose.validation.fast_schema import REFUSED, SCALAR, Check, Shape, of_type
from cntnr_compose.core.frozen import Tree

SCHEMAS = os.path.join(os.path.dirname(__file__), "..", "..", "schemas")
NAMED = ("services", "networks", "volumes", "configs", "secrets", "models")


class CannotFlatten(ValueError):
    """A new schema has definitions of a form that nobody has taught us yet."""

    def __init__(self, what: str) -> None:
        super().__init__(f"cannot lay {what} into one definition")


def check(tree: Tree) -> list[Finding]:
    """Tell all that docker compose's schema does not allow in a tree."""
    shape = docker_shape()
    if shape.fits(tree):
        return []
    odd = list(islice(_odd_keys(tree, ()), SHOWN + 1))
    if odd:
        return odd
    findings: dict[Finding, None] = {}
    for finding in _told(shape, tree):
        findings[finding] = None
        if len(findings) > SHOWN:
            break
    return list(findings)


def published_schema() -> Tree:
    """Read the published schema."""
    schema: Tree = _read("compose-spec.json")
    return schema


def _read(name: str) -> Any:
    import json  # not msgspec: json is there five times as soon

    with open(os.path.join(SCHEMAS, name), "rb") as file:
        return json.load(file)


def docker_schema() -> Tree:
    """Give the schema that docker compose has: the published one and the rows of differences."""
    schema = published_schema()
    for row in _read("differences.json"):
        *above, last = row["at"].removeprefix("/").split("/")
        nodes: list[Any] = [schema]
        for step in above:
            nodes.append(nodes[-1][int(step) if isinstance(nodes[-1], list) else step])
        del nodes[-1][last]  # and a row that fits no more is a bug
        if row["op"] == "replace":
            nodes[-1][last] = row["value"]
        elif above[-1] == "properties":
            nodes[-2].setdefault(REFUSED, {})[last] = row["why"]
    return schema


def flat(schema: Tree) -> Tree:
    """Give a schema without ``unevaluatedProperties``: the parts of ``allOf`` laid into one.

    Raises `CannotFlatten` where a definition is not merely made of sets of properties.
    """
    definitions: Tree = schema["$defs"]
    gathered = ("properties", "patternProperties", REFUSED)

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
def docker_shape() -> Shape:
    """Give the quick form of docker compose's schema."""
    return Shape(flat(docker_schema()))


def _odd_keys(node: Any, path: Path) -> Iterator[Finding]:
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
                    yield Finding(path=at, message=text, hint="put it in quotes")
                ahead.append(((*at, str(key)), item))


def _told(shape: Shape, tree: Tree) -> Iterator[Finding]:
    """Ask jsonschema about the parts that do not fit, and only about those."""
    from cntnr_compose.compose.validation.wording import tell

    for path, node, part in _misfits(shape, tree):
        for error in _validator(shape, node).iter_errors(part):
            yield from tell(error, path, shape)


def _misfits(shape: Shape, tree: Any) -> Iterator[tuple[Path, Tree, Any]]:
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
        each, named = shape.check(entry), re.compile(pattern).search
        outline[key] = {name: one for name, one in section.items() if not named(name)}
        for name, one in section.items():
            if named(name) and not each(one):
                yield (key, name), entry, one
    if not shape.fits(outline):
        yield (), root, outline


def _validator(shape: Shape, node: Tree) -> Any:
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
            found = list(islice(errors, SHOWN))
            if not found:
                return
            told += found
        yield jsonschema.ValidationError("", context=told)

    def unique(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
        # Only items that fit are compared: how deep others are nested nobody knows.
        if isinstance(instance, list) and all(
            map(shape.check(schema.get("items", True)), instance)
        ):
            yield from keywords["uniqueItems"](validator, wanted, instance, schema)

    keywords = {name: quietly(make) for name, make in SCALAR.items()}
    extend: Any = jsonschema.validators.extend
    kind = extend(
        jsonschema.Draft202012Validator,
        {
            **keywords,
            "type": quietly(of_type),
            "oneOf": union,
            "anyOf": union,
            "uniqueItems": unique,
        },
    )
    return kind(node | {"$defs": shape.schema["$defs"]})
