"""Schema errors: all of them are reported, each with its path, in words for people."""

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

from cntnr_compose.compose.validation.fast_schema import FastSchema
from cntnr_compose.compose.validation.schema import (
    MAX_SHOWN,
    CannotFlatten,
    check_schema,
    docker_fast_schema,
    flatten_schema,
    read_docker_schema,
    read_published_schema,
)

published = FastSchema(flatten_schema(read_published_schema()))


def errors(text: str) -> list[str]:
    return sorted(str(one) for one in check_schema(yaml.safe_load(dedent(text))))


def service(text: str) -> list[str]:
    return [line.removeprefix("services.a") for line in errors(f"services: {{a: {{{text}}}}}")]


def test_a_valid_tree_has_no_errors() -> None:
    assert check_schema({"services": {"a": {"image": "x", "x-y": {"z": [1]}}}, "x-z": None}) == []


def test_all_errors_are_reported_at_once() -> None:
    assert errors("""\
        services:
          a:
            image: 3
            portz: ["80:80"]
            healthcheck: {interval: 3}
          b:
        networks: [front]
        serivces: {}
        """) == [
        "networks: must be a mapping, not a list",
        "serivces: additional properties 'serivces' not allowed (did you mean \"services\"?)",
        'services.a.healthcheck.interval: must be a string, not the number 3 (put it in quotes: "3")',
        'services.a.image: must be a string, not the number 3 (put it in quotes: "3")',
        "services.a.portz: additional properties 'portz' not allowed (did you mean \"ports\"?)",
        "services.b: must be a mapping, not null",
    ]


def test_keys_that_are_no_strings_are_reported_before_all_else() -> None:
    assert errors("services: {1: {2: x}}\n3: x\nfoo: x") == [
        "non-string key at top level: 3 (put it in quotes)",
        "services.1: non-string key in services.1: 2 (put it in quotes)",
        "services: non-string key in services: 1 (put it in quotes)",
    ]


@pytest.mark.parametrize("tree", [None, [1], "text", 3])
def test_a_tree_that_is_no_mapping_is_refused(tree: Any) -> None:
    (finding,) = check_schema(tree)
    assert finding.message.startswith("must be a mapping, not")


def test_very_many_errors_are_not_all_described() -> None:
    tree = {"services": {f"s{number}": {"imag": "x"} for number in range(10_000)}}
    assert len(check_schema(tree)) == MAX_SHOWN + 1


@pytest.mark.parametrize(
    "service",
    [
        {f"key{number}": 1 for number in range(20_000)},
        {"environment": {f"KEY{number}": [] for number in range(20_000)}},
        {"ports": [True] * 20_000},
    ],
    ids=["keys", "values of a mapping", "items of a list"],
)
def test_very_many_errors_in_one_value_are_found_soon(service: Any) -> None:
    assert MAX_SHOWN <= len(check_schema({"services": {"a": service}})) <= MAX_SHOWN + 1


def test_repeated_aliases_are_checked_once() -> None:
    big = ["x"] * 100_000
    tree = {"services": {f"s{number}": {"image": big, "user": big} for number in range(1000)}}
    assert len(check_schema(tree)) == MAX_SHOWN + 1


def test_a_very_deeply_nested_value_is_refused() -> None:
    deep: Any = []
    for _ in range(20_000):
        deep = [deep]
    tree = {"services": {"a": {"image": deep, "expose": [deep, deep], "environment": deep}}}
    assert len(check_schema(tree)) == 4


def test_a_long_list_of_equal_mappings_is_refused_soon() -> None:
    tree = {
        "services": {"a": {"volumes": [{"type": "bind", "source": str(n)} for n in range(5_000)]}}
    }
    tree["services"]["a"]["volumes"].append({"type": "bind", "source": "7"})
    (finding,) = check_schema(tree)
    assert finding.message == "items at 7 and 5000 are equal"


DIFFERENCES: list[tuple[str, Any, bool]] = [
    ("/properties/jobs", {"jobs": {}}, False),
    ("pre_start", {"services": {"a": {"pre_start": [{"command": "a", "dns": "x"}]}}}, False),
    ("umask", {"services": {"a": {"umask": 1}}}, False),
    (
        "use_service_name_alias",
        {"services": {"a": {"networks": {"n": {"use_service_name_alias": True}}}}},
        False,
    ),
    ("mem_limit", {"services": {"a": {"mem_limit": 1.5}}}, True),
    ("memswap_limit", {"services": {"a": {"memswap_limit": 1.5}}}, True),
    ("shm_size", {"services": {"a": {"shm_size": 1.5}}}, True),
    ("pull_policy", {"services": {"a": {"pull_policy": "nearly always"}}}, True),
    ("/properties/networks", {"networks": {"a b": {}}}, True),
    ("/properties/models", {"models": {"a b": {}}}, True),
]


@pytest.mark.parametrize(
    ("row", "tree", "allowed"), DIFFERENCES, ids=[row[0] for row in DIFFERENCES]
)
def test_docker_compose_differs_from_the_published_schema(
    row: str, tree: Any, *, allowed: bool
) -> None:
    assert row
    assert published.fits(tree) is not allowed
    assert docker_fast_schema().fits(tree) is allowed


def test_every_difference_has_a_test_and_a_reason() -> None:
    from cntnr_compose.compose.validation.schema import SCHEMA_FOLDER
    from cntnr_compose.core.values import from_json

    rows = from_json(Path(SCHEMA_FOLDER, "differences.json").read_bytes(), list[dict[str, Any]])
    assert all(row["why"] for row in rows)
    assert len(rows) == len(DIFFERENCES)
    for row in rows:
        assert any(word in row["at"] for word, _, _ in DIFFERENCES)


def test_the_published_schema_itself_stays_as_it_is() -> None:
    assert "jobs" in read_published_schema()["properties"]
    assert "jobs" not in read_docker_schema()["properties"]


def test_a_definition_of_a_new_form_is_refused() -> None:
    odd = {"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"minProperties": 1}}}
    with pytest.raises(CannotFlatten, match="minProperties"):
        flatten_schema(odd)
