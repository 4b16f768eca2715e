"""The fast check and jsonschema with the published schema agree on every document.

Documents are the examples, the conformance corpus where it is at hand (``CNTNR_CONFORMANCE`` or beside
the repository), and documents that are generated from the schema.
"""

import hashlib
import importlib.metadata
import importlib.resources
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from cntnr_compose.compose.validation.fast_schema import FastSchema, UnknownKeyword
from cntnr_compose.compose.validation.schema import (
    SCHEMA_FOLDER,
    check_schema,
    flatten_schema,
    read_docker_schema,
    read_published_schema,
)
from tests.fuzz.documents import spoilt, valid

ROOT = Path(__file__).resolve().parents[3]
CORPUS = Path(os.environ.get("CNTNR_CONFORMANCE") or ROOT.parent / "shared/conformance/dev")
COPY = importlib.resources.files("check_jsonschema").joinpath(
    "builtin_schemas/vendor/compose-spec.json"
)
PUBLISHED: dict[str, Any] = json.loads(COPY.read_bytes())
quick = FastSchema(flatten_schema(read_published_schema())).fits
slow = Draft202012Validator(PUBLISHED).is_valid
as_docker = Draft202012Validator(read_docker_schema()).is_valid
FLAT = flatten_schema(read_published_schema())
SOME = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


class Plain(yaml.CSafeLoader):
    """Ignore tags: read each value as the kind of its node, and keep dates as text."""


Plain.add_multi_constructor("!", lambda loader, _, node: _construct(loader, node))
Plain.add_constructor("tag:yaml.org,2002:timestamp", Plain.construct_yaml_str)


def _construct(loader: Plain, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


@cache
def written() -> dict[str, Any]:
    """Read every YAML file of examples and corpus, each content once; those with JSON's keys."""
    documents: dict[bytes, tuple[str, Any]] = {}
    for folder in (ROOT / "examples", CORPUS):
        for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]):
            text = path.read_bytes()
            try:
                tree = yaml.load(text, Plain)
                json.dumps(tree)
            except (yaml.YAMLError, TypeError, ValueError, RecursionError):
                continue
            if _named_by_text(tree):
                documents.setdefault(hashlib.sha256(text).digest(), (path.name, tree))
    return {f"{name} {key.hex()[:6]}": tree for key, (name, tree) in documents.items()}


def _named_by_text(tree: Any) -> bool:
    if isinstance(tree, dict):
        return all(isinstance(key, str) and _named_by_text(one) for key, one in tree.items())
    return all(map(_named_by_text, tree)) if isinstance(tree, list) else True


def test_the_schema_is_the_published_one_without_its_prose() -> None:
    def facts(node: Any, *, names: bool = False) -> Any:
        if isinstance(node, list):
            return [facts(one) for one in node]
        if not isinstance(node, dict):
            return node
        prose = () if names else ("description", "title", "examples", "$comment")
        inner = ("properties", "patternProperties", "$defs")
        return {
            key: facts(value, names=not names and key in inner)
            for key, value in node.items()
            if key not in prose
        }

    assert read_published_schema() == facts(PUBLISHED)


def test_the_source_of_the_schema_is_recorded() -> None:
    source = json.loads(Path(SCHEMA_FOLDER, "source.json").read_text())
    assert source["version"] == importlib.metadata.version("check-jsonschema")
    assert source["sha256"] == hashlib.sha256(COPY.read_bytes()).hexdigest()


def test_written_documents_fit_if_jsonschema_says_so() -> None:
    documents = written()
    assert len(documents) >= 3
    assert {name for name, tree in documents.items() if quick(tree) != slow(tree)} == set()


def test_errors_are_reported_if_docker_compose_refuses() -> None:
    for name, tree in written().items():
        assert bool(check_schema(tree)) != as_docker(tree), name


@SOME
@given(valid(FLAT))
def test_documents_of_the_schema_fit_if_jsonschema_says_so(tree: Any) -> None:
    assert quick(tree) == slow(tree)


@SOME
@given(spoilt(FLAT))
def test_spoilt_documents_fit_if_jsonschema_says_so(tree: Any) -> None:
    assert quick(tree) == slow(tree)
    assert bool(check_schema(tree)) != as_docker(tree)


def test_an_unknown_keyword_of_a_schema_is_refused() -> None:
    with pytest.raises(UnknownKeyword, match="propertyNames"):
        FastSchema({"propertyNames": {"pattern": "a"}})
