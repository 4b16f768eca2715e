"""Decoders of lists and mappings: they report every error, and keep what has defaults."""

from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.decode.compound import dict_of, list_of, mapping_of
from cntnr_compose.compose.decode.decoders import OMIT, flag, string
from tests.unit.compose.world import rendered_service

PAIR = mapping_of({"name": string, "on": flag}, {"name": ""})


@pytest.mark.parametrize(
    ("decoder", "value", "expected"),
    [
        (list_of(string), None, OMIT),
        (list_of(string), [], OMIT),
        (list_of(PAIR), [{}, {"on": True}], [{"name": ""}, {"name": "", "on": True}]),
        (dict_of(string), {"b": 1, "a": None}, {"a": None, "b": "1"}),
        (dict_of(string, empty={}), {"a": None}, {"a": {}}),
        (dict_of(string), {}, OMIT),
        (PAIR, {"x-b": 1, "on": False, "other": 1, "x-a": 2}, {"name": "", "x-a": 2, "x-b": 1}),
    ],
)
def test_a_value_is_decoded(decoder: Any, value: Any, expected: Any) -> None:
    assert decoder(value, ()) == expected


def test_keys_are_printed_in_the_order_of_their_decoders() -> None:
    assert list(PAIR({"x-a": 1, "on": True, "name": "x"}, ())) == ["name", "on", "x-a"]


def test_a_network_is_a_mapping_whatever_its_name(tmp_path: Path) -> None:
    with pytest.raises(ComposeFileInvalid, match="must be a mapping"):
        rendered_service(tmp_path, "services: {a: {image: x}}\nnetworks: {a b: c}\n")


def test_all_errors_are_reported_at_once(tmp_path: Path) -> None:
    text = """
    services:
      a: {image: x, mem_limit: lots, ports: [{target: -1}], environment: ['A =b']}
      b: {image: x, shm_size: none}
    """
    with pytest.raises(ComposeFileInvalid) as raised:
        rendered_service(tmp_path, text)
    assert [one.path for one in raised.value.diagnostics] == [
        ("services", "a", "mem_limit"),
        ("services", "a", "ports", 0, "target"),
        ("services", "a", "environment"),
        ("services", "b", "shm_size"),
    ]
