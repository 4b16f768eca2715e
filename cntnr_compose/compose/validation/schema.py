"""Check a tree against the Compose schema. The one home of jsonschema.

A valid tree is the common case and costs little: `fast_schema` accepts it. Only if it does not, jsonschema
finds the errors in the parts that do not fit, and `wording` describes them.
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
NAMED_SECTIONS = ("services", "networks", "volumes", "configs", "secrets", "models")
MERGED_KEYWORDS = ("properties", "patternProperties", REFUSED_KEYWORD)


class CannotFlatten(ValueError):
    """A new schema has definitions of a form that cannot be merged into one yet."""

    def __init__(self, keyword: str) -> None:
        super().__init__(f"cannot merge {keyword} into one definition")


def check_schema(tree: Tree) -> list[Diagnostic]:
    """Find what docker compose's schema does not allow in a tree; some more than are shown at most."""
    schema = docker_fast_schema()
    if schema.fits(tree):
        return []
    bad_keys = list(islice(_non_string_keys(tree, ()), MAX_SHOWN + 1))
    if bad_keys:
        return bad_keys
    diagnostics: dict[Diagnostic, None] = {}
    for diagnostic in _schema_errors(schema, tree):
        diagnostics[diagnostic] = None
        if len(diagnostics) > MAX_SHOWN:
            break
    return list(diagnostics)


def read_published_schema() -> Tree:
    """Read the published Compose schema."""
    schema: Tree = _read("compose-spec.json")
    return schema


def _read(name: str) -> Any:
    import json  # not msgspec: json is imported five times as fast

    with open(os.path.join(SCHEMA_FOLDER, name), "rb") as file:
        return json.load(file)


def read_docker_schema() -> Tree:
    """Read docker compose's schema: the published one, changed by the rows of ``differences.json``."""
    schema = read_published_schema()
    for row in _read("differences.json"):
        *above, last = row["at"].removeprefix("/").split("/")
        nodes: list[Any] = [schema]
        for step in above:
            nodes.append(nodes[-1][int(step) if isinstance(nodes[-1], list) else step])
        del nodes[-1][last]  # a row that no longer fits is a bug
        if row["op"] == "replace":
            nodes[-1][last] = row["value"]
        elif above[-1] == "properties":
            nodes[-2].setdefault(REFUSED_KEYWORD, {})[last] = row["why"]
    return schema


def flatten_schema(schema: Tree) -> Tree:
    """Merge the parts of each ``allOf`` into one, which makes ``unevaluatedProperties`` superfluous.

    Raises `CannotFlatten` where a definition consists of more than sets of properties.
    """
    definitions: Tree = schema["$defs"]

    def flatten(node: Tree) -> Tree:
        if "allOf" not in node:
            return node
        own = {key: value for key, value in node.items() if key != "allOf"}
        parts = [definitions[part["$ref"].split("/")[-1]] for part in node["allOf"]]
        merged: Tree = {keyword: {} for keyword in MERGED_KEYWORDS}
        for part in (*parts, own):
            _merge_definition(merged, flatten(part))
        return merged

    return schema | {"$defs": {name: flatten(node) for name, node in definitions.items()}}


def _merge_definition(merged: Tree, part: Tree) -> None:
    for keyword, value in part.items():
        if keyword in MERGED_KEYWORDS:
            if merged[keyword].keys() & value.keys() - {"^x-"}:
                raise CannotFlatten(keyword)
            merged[keyword] |= value
        elif keyword == "unevaluatedProperties" and value is False:
            merged["additionalProperties"] = False
        elif keyword in ("type", "required", "description", "title"):
            merged[keyword] = value
        else:
            raise CannotFlatten(keyword)


@cache
def docker_fast_schema() -> FastSchema:
    """Compile docker compose's schema."""
    return FastSchema(flatten_schema(read_docker_schema()))


def _non_string_keys(node: Any, path: Path) -> Iterator[Diagnostic]:
    """Find keys that are no strings, since jsonschema fails on them."""
    pending: list[tuple[Path, Any]] = [(path, node)]
    visited: set[int] = set()  # each alias only once
    while pending:
        path, node = pending.pop()
        if id(node) in visited:
            continue
        visited.add(id(node))
        if isinstance(node, list):
            pending.extend(((*path, index), item) for index, item in enumerate(node))
        elif isinstance(node, dict):
            for key, item in node.items():
                if not isinstance(key, str):
                    where = f"in {'.'.join(map(str, path))}" if path else "at top level"
                    text = f"non-string key {where}: {key}"
                    yield Diagnostic(path=path, message=text, hint="put it in quotes")
                pending.append(((*path, str(key)), item))


def _schema_errors(schema: FastSchema, tree: Tree) -> Iterator[Diagnostic]:
    """Run jsonschema on the parts that do not fit, and only on those."""
    from cntnr_compose.compose.validation.wording import describe_error

    for path, definition, part in _invalid_parts(schema, tree):
        for error in _validator(schema, definition).iter_errors(part):
            yield from describe_error(error, path, schema)


def _invalid_parts(schema: FastSchema, tree: Any) -> Iterator[tuple[Path, Tree, Any]]:
    """Find the parts of a tree that do not fit: single services, networks, …, or the whole."""
    root = schema.schema
    if not isinstance(tree, dict):
        yield (), root, tree
        return
    outline = {}
    for key, section in tree.items():
        entries = root["properties"].get(key, {}).get("patternProperties", {})
        if key not in NAMED_SECTIONS or not isinstance(section, dict) or len(entries) != 1:
            outline[key] = section
            continue
        ((pattern, definition),) = entries.items()
        fits, is_named = schema.compile_check(definition), re.compile(pattern).search
        outline[key] = {name: entry for name, entry in section.items() if not is_named(name)}
        for name, entry in section.items():
            if is_named(name) and not fits(entry):
                yield (key, name), definition, entry
    if not schema.fits(outline):
        yield (), root, outline


def _validator(schema: FastSchema, definition: Tree) -> Any:
    """Make a jsonschema validator for a definition, with keywords that cost little.

    The stock ones format the value into each message, list every error of every form that a value may
    have, and compare each item of a list with each other.
    """
    import jsonschema

    keywords = {name: _without_message(make) for name, make in KEYWORD_CHECKS.items()}
    keywords |= {"type": _without_message(type_check), "oneOf": _union, "anyOf": _union}
    unique_items = keywords["uniqueItems"]

    def unique_valid_items(validator: Any, operand: Any, instance: Any, node: Any) -> Iterator[Any]:
        # Only items that fit may be compared: others may be nested without bound.
        fits = schema.compile_check(node.get("items", True))
        if isinstance(instance, list) and all(map(fits, instance)):
            yield from unique_items(validator, operand, instance, node)

    keywords["uniqueItems"] = unique_valid_items
    extend: Any = jsonschema.validators.extend
    validator = extend(jsonschema.Draft202012Validator, keywords)
    return validator(definition | {"$defs": schema.schema["$defs"]})


def _without_message(make_check: Callable[[Any], Check]) -> Any:
    import jsonschema

    def keyword(_: Any, operand: Any, instance: Any, __: Any) -> Iterator[Any]:
        if not make_check(operand)(instance):
            yield jsonschema.ValidationError("")

    return keyword


def _union(validator: Any, forms: list[Any], instance: Any, _: Any) -> Iterator[Any]:
    import jsonschema

    errors: list[Any] = []
    for index, form in enumerate(forms):
        of_form = list(islice(validator.descend(instance, form, schema_path=index), MAX_SHOWN))
        if not of_form:
            return
        errors += of_form
    yield jsonschema.ValidationError("", context=errors)
