"""YAML and JSON as docker compose prints them."""

import json
from pathlib import Path

import pytest

from cntnr_compose.compose.render.output import (
    SshKeyNotJson,
    render_json,
    render_untyped_json,
    render_untyped_yaml,
    render_yaml,
)
from tests.unit.compose.world import load_texts, rendered

TEXT = """
services:
  a:
    image: "x:$$y"
    x-own: {b: 1, a: 2}
    deploy: {replicas: 2}
    develop: {watch: [{path: ., action: rebuild}]}
    blkio_config: {device_read_bps: [{path: /dev/x, rate: 1}]}
    command: "a < b"
x-top: {z: 1.0, d: 2001-01-01}
"""


def test_json_has_what_go_adds_and_leaves_out(tmp_path: Path) -> None:
    text = render_json(load_texts(tmp_path, TEXT).tree)
    tree = json.loads(text)
    a = tree["services"]["a"]
    assert a["image"] == "x:$$y"
    assert a["entrypoint"] is None
    assert a["deploy"] == {"replicas": 2, "resources": {}, "placement": {}}
    assert a["develop"]["watch"][0]["exec"] == {"command": None}
    assert a["blkio_config"]["device_read_bps"] == [{"Path": "/dev/x", "Rate": "1"}]
    assert tree["networks"]["default"]["ipam"] == {}
    assert tree["x-top"] == {"d": "2001-01-01T00:00:00Z", "z": 1}
    assert "x-own" not in a
    assert "\\u003c" in render_json(load_texts(tmp_path, TEXT.replace("a < b", "a \\\\< b")).tree)


def test_yaml_has_extensions_last_and_in_order(tmp_path: Path) -> None:
    text = render_yaml(load_texts(tmp_path, TEXT, project_name="p").tree)
    assert text.startswith("name: p\nservices:\n  a:\n    develop:\n")
    assert "    image: x:$$y\n" in text
    assert "    x-own:\n      a: 2\n      b: 1\n" in text
    assert text.endswith("x-top:\n  d: 2001-01-01T00:00:00Z\n  z: 1\n")


def test_a_tree_with_variables_is_written_as_it_is(tmp_path: Path) -> None:
    tree = load_texts(tmp_path, "services: {a: {image: '$V', tty: true}}", interpolate=False).tree
    assert "    image: $V\n" in render_untyped_yaml(tree)
    assert json.loads(render_untyped_json(tree))["services"]["a"]["image"] == "$V"


def test_ssh_keys_with_a_path_have_no_json(tmp_path: Path) -> None:
    text = "services: {a: {build: {context: ., ssh: [default, 'k=./key']}}}"
    tree = load_texts(tmp_path, text).tree
    assert f"- 'k: {tmp_path}/key'" in render_yaml(tree)
    with pytest.raises(SshKeyNotJson, match=r"types.SSHKey"):
        render_json(tree)


def test_an_extension_is_printed_as_go_prints_what_it_does_not_know(tmp_path: Path) -> None:
    text = "x-k: {a: [], b: [[], {}], c: 123456789012345678901}\nservices: {a: {image: x}}\n"
    assert rendered(tmp_path, text)["x-k"] == {
        "a": None, "b": [None, {}], "c": 123456789012345680000,
    }  # fmt: skip
